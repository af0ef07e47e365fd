#include "loop/labels/day_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "loop/day_file.h"
#include "loop/evaluation.h"
#include "loop/labels/label_import.h"
#include "loop/labels/matured.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/raw_data.h"

namespace maeil::loop {

std::string labels_file(const Settings& settings, Days date) { return with_date(settings.labels, date); }

Status take_day_labels(const Day& day, const dag::TaskContext& context, dag::TaskOutcome& out) {
  const std::string path = labels_file(day.settings, context.logical_date);
  if (path.empty()) return {};
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable) && !unreadable) {
    context.log(fmt::format("no labels today: {} is not there (LABELS)", path));
    return {};
  }
  MAEIL_ASSIGN(out.lock, lock_labels(context.store));
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), day.settings.time_zone));
  const LabelRequest request{.in = path,
                             .date = {},
                             .observed = context.logical_date,
                             .today = std::max(today, context.logical_date)};
  const LabelOwner owner{context.task_key(), context.run_id, context.logical_date};
  const Watcher watcher{[&](std::string_view line, bool warning) {
                          context.log(warning ? fmt::format("warning: {}", line) : std::string(line));
                        },
                        [&](uint64_t done, uint64_t total) { context.progress("labels", done, total); }};
  MAEIL_ASSIGN(auto import, import_labels(context.store, day.settings, day.spec, request, owner, watcher));
  for (const auto& one : import.dates) {
    if (one.metrics.is_object())
      context.log(fmt::format("scores of {}: {}", format_date(one.date), describe(one.metrics)));
  }
  out.message += fmt::format("; {}: {}", std::filesystem::path(path).filename().string(), describe(import));
  out.result["labels"] = import_facts(import);
  const auto add = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  add(out.batch.puts, import.batch.puts);
  add(out.batch.sets, import.batch.sets);
  add(out.batch.publishes, import.batch.publishes);
  return {};
}

Status judge_new_scores(const Day& day, const dag::TaskContext& context, const store::Document& predictions,
                        dag::TaskOutcome& out) {
  const Days date = context.logical_date;
  MAEIL_ASSIGN(const auto imports, imports_of(context.store, day.spec, date));
  if (imports.empty()) return {};
  MAEIL_ASSIGN(const auto raw, raw_document(context.store, date));
  MAEIL_ASSIGN(const auto history, history_of(context.store, day.settings, day.spec, date, raw));
  const auto stamp = [&](store::Document document) {
    document = stamped(context, "performance_metrics", std::move(document));
    // Not the n-th document of the collection: what is superseded is said here (dag/task_history.h).
    document["_id"] = store::id_value(store::task_object_id(context.task_key(), "predictions/matured", 0));
    return document;
  };
  MAEIL_ASSIGN(const auto metrics, add_matured(context.store, day.settings, day.spec, date, predictions,
                                               history, stamp, out.batch));
  if (metrics.is_object()) out.message += fmt::format("; judged: {}", describe(metrics));
  return {};
}

}  // namespace maeil::loop
