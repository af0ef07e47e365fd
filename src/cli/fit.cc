// `maeil fit`: a copula of a file, and how good the rows drawn from it are.
#include <fmt/format.h>

#include <filesystem>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "cli/quality.h"
#include "loop/fit_file.h"

namespace maeil::cli {
namespace {

store::Document fit_document(const FitOptions& options, const loop::FileFit& fit,
                             const std::optional<double>& quality) {
  auto identifiers = store::Document::array(), constraints = store::Document::array(),
       rare = store::Document::array(), merged = store::Document::array();
  for (const auto& one : fit.anew)
    identifiers.push_back(
        {{"column", one.column}, {"values", one.values}, {"rows", one.rows}, {"pattern", one.pattern}});
  for (const auto& one : fit.constraints)
    constraints.push_back({{"constraint", one.constraint}, {"place", one.place}, {"broken_rows", one.rows}});
  for (const auto& one : fit.fitted.rare) {
    static constexpr const char* kKinds[] = {"pooled_labels", "grouped_dates", "emptied_column"};
    rare.push_back({{"column", one.column},
                    {"kind", kKinds[static_cast<size_t>(one.kind)]},
                    {"values", one.values},
                    {"rows", one.rows},
                    {"into", one.into}});
  }
  for (const auto& one : fit.fitted.merged) merged.push_back({{"class", one.label}, {"rows", one.rows}});
  const auto& repair = fit.fitted.repair;
  return {{"path", options.out},
          {"rows", fit.rows},
          {"columns", fit.fitted.mixture.columns()},
          {"target", fit.target},
          {"classes", fit.fitted.mixture.classes.size()},
          {"unreadable", unreadable_document(fit.read)},
          {"seconds", fit.seconds},
          {"constraints", std::move(constraints)},
          {"identifiers", std::move(identifiers)},
          {"rare_values", std::move(rare)},
          {"merged_classes", std::move(merged)},
          {"missing_patterns", fit.fitted.mixture.missing_sets.size()},
          {"correlation_repair",
           {{"largest", repair.largest},
            {"rms", repair.rms},
            {"class", repair.label},
            {"columns", {repair.left, repair.right}}}},
          {"quality_score", quality ? store::Document(*quality) : store::Document()},
          {"quality_page", quality ? store::Document(quality_page_path(options.out)) : store::Document()}};
}

void print_fit(const FitOptions& options, const loop::FileFit& fit, const std::optional<double>& quality) {
  const size_t classes = fit.fitted.mixture.classes.size();
  print_line(fmt::format("{} of {} columns{}, fitted on {} rows -> {}",
                         classes == 1 ? std::string("a copula") : fmt::format("{} copulas", classes),
                         fit.fitted.mixture.columns(), fit.target.empty() ? "" : " by class of " + fit.target,
                         fit.rows, options.out));
  if (const auto& repair = fit.fitted.repair; repair.largest > 0) {
    print_line(
        fmt::format("correlations were made positive definite: moved by {:.3f} (root mean square), at most "
                    "by {:.3f} ({} and {}{})",
                    repair.rms, repair.largest, repair.left, repair.right,
                    repair.label.empty() ? "" : fmt::format(", {} = {}", fit.target, repair.label)));
  }
  if (!quality && !options.no_report) print_line("drawn rows have no quality score: no column has one");
  if (quality)
    print_line(
        fmt::format("quality score of drawn rows {:.4f} -> {}", *quality, quality_page_path(options.out)));
}

}  // namespace

Result<int> fit(Context& context, const FitOptions& options) {
  // Also where no page is written: that of an earlier model goes.
  const std::string page = quality_page_path(options.out);
  for (const auto& out : {options.out, options.metadata, page})
    MAEIL_TRY(check_output(out, {options.in, options.spec}));
  if (!options.metadata.empty() &&
      (same_place(options.metadata, options.out) || same_place(options.metadata, page)))
    return usage_error(fmt::format(
        "--metadata {} would be written over by what --out writes: name another file", options.metadata));
  loop::FitFileRequest request{.in = options.in,
                               .out = options.out,
                               .spec = options.spec,
                               .target = options.target,
                               .marginals = options.marginals,
                               .metadata = options.metadata,
                               .seed = static_cast<uint64_t>(options.seed.value_or(context.settings.seed))};
  if (options.spec.empty()) {
    MAEIL_ASSIGN(const table::DatasetSpec& usual, context.spec_to_fit());
    request.usual_spec = &usual;
    request.usual_is_builtin = context.settings.dataset_spec.empty();
  }
  Progress progress;
  MAEIL_ASSIGN(const auto fit, loop::fit_file(request, watcher_of(progress)));
  progress.finish();
  std::error_code ignored;
  std::filesystem::remove(page, ignored);  // that of an earlier model
  std::optional<double> quality;
  if (!options.no_report) {
    const auto scored =
        report_fit(options, fit.columns, fit.target, fit.rows, static_cast<uint64_t>(context.settings.seed));
    if (scored)
      quality = *scored;
    else
      note("no quality report: " + scored.error().message, LogLevel::kWarning);
  }
  if (context.json)
    print_json(with_reading(fit_document(options, fit, quality), fit.read));
  else
    print_fit(options, fit, quality);
  return 0;
}

}  // namespace maeil::cli
