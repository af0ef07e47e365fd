// `maeil predict | evaluate`: a model on the rows of a file.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "loop/evaluation.h"
#include "loop/file_rows.h"
#include "loop/import.h"

namespace maeil::cli {
namespace {

// The model, what is remarkable about it said.
Result<model::ModelFile> open_to_score(Context& context, const table::DatasetSpec& spec,
                                       const std::string& name) {
  MAEIL_ASSIGN(auto model, loop::open_model([&context] { return context.store_to_read(); }, context.settings,
                                            spec, name, true));
  for (const auto& remark : model.remarks) note(fmt::format("{}: {}", name, remark), LogLevel::kWarning);
  return model;
}

}  // namespace

Result<int> predict(Context& context, const PredictOptions& options) {
  MAEIL_TRY(check_output(options.out, {options.in, options.model}));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(auto model, open_to_score(context, spec, options.model));
  Progress progress;
  MAEIL_ASSIGN(const auto report,
               loop::predict_rows({context.settings, options.in, spec, model, options.model}, options.out,
                                  options.reasons, watcher_of(progress)));
  progress.finish();
  const uint64_t scored = report.rows - report.quarantined;
  if (context.json)
    print_json(with_reading({{"path", options.out},
                             {"rows", scored},
                             {"quarantined", report.quarantined},
                             {"unreadable", unreadable_document(report)}},
                            report));
  else
    print_line(fmt::format("{} rows scored, {} set aside -> {}", scored, report.quarantined, options.out));
  return 0;
}

Result<int> evaluate(Context& context, const PredictOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(auto model, open_to_score(context, spec, options.model));
  const auto& settings = context.settings;
  Progress progress;
  MAEIL_ASSIGN(const auto evaluated, loop::evaluate_rows({settings, options.in, spec, model, options.model},
                                                         settings, watcher_of(progress)));
  progress.finish();
  const auto& [report, unlabelled, metrics, judged] = evaluated;
  const bool passed = judged.gate == loop::Gate::kPassed, was_judged = judged.gate != loop::Gate::kNotJudged;
  if (context.json) {
    store::Document out = {{"model", options.model},
                           {"rows", report.rows},
                           {"quarantined", report.quarantined},
                           {"unlabelled", unlabelled},
                           {"unreadable", unreadable_document(report)},
                           {"metrics", metrics},
                           {"f1_threshold", settings.f1_threshold},
                           {"passed", was_judged ? store::Document(passed) : store::Document()}};
    if (!was_judged) out["not_judged"] = loop::not_judged_document(judged);
    print_json(with_reading(std::move(out), report));
  } else {
    print_line(loop::describe(metrics));
    for (const auto& [name, value] : metrics.items())
      print_line(fmt::format("  {:<17} {}", name, value.is_null() ? "undefined" : plain(value)));
    print_line(!was_judged
                   ? "not judged: " + judged.reason
                   : fmt::format("{} the gate of {}", passed ? "passes" : "fails", settings.f1_threshold));
  }
  return passed || !was_judged ? 0 : kGateFailed;
}

}  // namespace maeil::cli
