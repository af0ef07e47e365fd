// `maeil labels import | show`: labels that came late. How they are joined and judged: loop/labels/.
#include <fmt/format.h>

#include <filesystem>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "dag/dag_run.h"
#include "loop/evaluation.h"
#include "loop/labels/label_import.h"
#include "loop/labels/label_status.h"

namespace maeil::cli {
namespace {

using store::Document;

constexpr size_t kShownDates = 20;  // on one screen

Result<std::optional<Days>> day_option(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<Days>();
  auto date = parse_date(text);
  if (!date) return usage_error(fmt::format("{}: {}", option, date.error().message));
  return std::optional(*date);
}

Document judged_document(const loop::LabelImport& import) {
  auto out = Document::array();
  for (const auto& day : import.dates) {
    out.push_back({{"logical_date", format_date(day.date)},
                   {"matched", day.matched},
                   {"set_aside", day.set_aside},
                   {"added", day.added},
                   {"changed", day.changed},
                   {"earlier", day.earlier},
                   {"metrics", day.metrics}});
  }
  return out;
}

void print_import(const loop::LabelImport& import, const std::string& in) {
  print_line(fmt::format("{}: {}", in, loop::describe(import)));
  size_t shown = 0;
  for (const auto& day : import.dates) {
    if (day.written == 0) continue;
    if (++shown > kShownDates) continue;
    print_line(fmt::format("  {}  {} new, {} changed{}{}", format_date(day.date), day.added, day.changed,
                           day.earlier > 0 ? fmt::format(", {} known earlier", day.earlier) : "",
                           day.metrics.is_object() ? "; its scores: " + loop::describe(day.metrics) : ""));
  }
  if (shown > kShownDates) print_line(fmt::format("  and {} more days", shown - kShownDates));
}

}  // namespace

Result<int> labels_import(Context& context, const LabelsOptions& options) {
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  loop::LabelRequest request{.in = options.in,
                             .asked_for = {},
                             .date = {},
                             .observed = {},
                             .today = today,
                             .dry_run = options.dry_run};
  MAEIL_ASSIGN(request.date, day_option("--date", options.date));
  MAEIL_ASSIGN(request.observed, day_option("--observed-at", options.observed));
  if (request.observed && *request.observed > today) {
    return usage_error(
        fmt::format("--observed-at {}: that is after today, {}", options.observed, format_date(today)));
  }
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(store::Store & store, options.dry_run ? context.store_to_read() : context.existing_store());
  std::unique_ptr<store::Lock> lock;
  if (!options.dry_run) {
    MAEIL_ASSIGN(lock, loop::lock_labels(store));
  }
  Progress progress;
  const loop::LabelOwner owner{"", dag::make_run_id("labels", now()), today};
  MAEIL_ASSIGN(auto import,
               loop::import_labels(store, context.settings, spec, request, owner, watcher_of(progress)));
  progress.finish();
  const bool nothing = import.written == 0;
  if (context.json) {
    Document out = loop::import_facts(import);
    out["written"] = !options.dry_run && !nothing;
    out["days"] = judged_document(import);
    print_json(with_reading(std::move(out), import.read));
    return 0;
  }
  print_import(import, options.in);
  if (nothing) print_line("nothing is new, so nothing was written");
  if (options.dry_run && !nothing) print_line("nothing was written (--dry-run)");
  return 0;
}

Result<int> labels_show(Context& context, const LabelsOptions& options) {
  MAEIL_ASSIGN(const auto date, day_option("DATE", options.date));
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto status, loop::label_status(store, context.settings, spec, *date, today));
  if (context.json) {
    print_json(status);
    return 0;
  }
  const auto set_aside = status.value("set_aside", uint64_t{0});
  print_line(
      fmt::format("{}: {} of {} rows have a label{}", format_date(*date),
                  status.value("labelled", uint64_t{0}), status.value("rows", uint64_t{0}),
                  set_aside > 0 ? fmt::format("; {} more are set aside by the contract", set_aside) : ""));
  if (const auto due = status.value("due", Document()); due.is_string())
    print_line(fmt::format("labels are due on {}{}", due.get<std::string>(),
                           status.value("overdue", false) ? ": they are overdue" : ""));
  std::vector<std::vector<std::string>> rows;
  for (const auto& import : status.at("imports")) {
    rows.push_back({plain(import.value("timestamp", Document())), plain(import.value("filename", Document())),
                    plain(import.value("observed_from", Document())),
                    plain(import.value("observed_to", Document())), plain(import.value("added", Document())),
                    plain(import.value("changed", Document()))});
  }
  if (!rows.empty()) print_table({"imported", "file", "known from", "to", "new", "changed"}, rows);
  for (const auto& judged : status.at("matured")) {
    print_line(fmt::format("scores of version {}: {}{}", judged.value("model_version", ""),
                           loop::describe(judged.at("metrics")),
                           judged.contains("superseded_by") ? " (superseded)" : ""));
  }
  return 0;
}

}  // namespace maeil::cli
