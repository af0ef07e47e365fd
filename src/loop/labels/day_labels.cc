#include "loop/labels/day_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "dag/task_record.h"
#include "loop/arriving_file.h"
#include "loop/day_file.h"
#include "loop/evaluation.h"
#include "loop/labels/label_import.h"
#include "loop/labels/matured.h"
#include "loop/labels/stored_labels.h"
#include "loop/pipelines.h"
#include "loop/prepared/raw_data.h"
#include "loop/query_rows.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kNotTakenIn = "LABELS_NOT_TAKEN_IN";

// As of a day's own file (wait_for_source.cc): what is written to more seldom than this is taken to be whole.
constexpr std::chrono::seconds kBetweenTwoLooks{1};

// A file of labels that is there, or a query that gives a row (its name, and nothing of a file), or what is
// wrong with it.
struct FileOfLabels {
  Days date;  // the {date} of its name
  std::string path;
  Result<std::optional<FileSeen>> seen;
};

// The dates whose files a day has taken in, by the records of preprocess_data. A record that was taken back
// still says so: what was imported stays. Its own file a date that is done again looks at again.
Result<std::set<std::string>> taken_dates(store::Store& store, Days date) {
  const std::string own = format_date(date);
  store::FindOptions told;
  told.filter = {{"dag_id", store.name_here(kDataDag)},
                 {"task_id", "preprocess_data"},
                 {"result.label_files", {{"$exists", true}}}};
  told.projection = {"logical_date", "result"};
  std::set<std::string> out;
  MAEIL_TRY(store.find_each(dag::kTaskInstances, told, [&](Document&& record) {
    const bool by_itself = store::text_field(record, "logical_date") == own;
    for (const auto& file : record["result"].value("label_files", Document::array())) {
      const std::string of = store::text_field(file, "labels_of");
      if (!by_itself || of != own) out.insert(of);
    }
    return true;
  }));
  return out;
}

// The dates whose files the date takes in, oldest first: its own, and those since the first that the store
// has that no day has taken in (no file of rows was due then, the day failed, or the labels came later).
Result<std::vector<Days>> dates_to_take(const Day& day, const dag::TaskContext& context) {
  const Days date = context.logical_date;
  // A query says itself how far back it looks: that of the date is the one that is asked.
  if (is_query(day.settings.labels)) return std::vector{date};
  MAEIL_ASSIGN(const auto first, dag::first_date(context.store));
  if (!first || labels_file(day.settings, *first) == labels_file(day.settings, date))
    return std::vector{date};  // no {date}
  MAEIL_ASSIGN(const auto taken, taken_dates(context.store, date));
  std::vector<Days> out;
  for (Days of = date; of >= *first; of -= std::chrono::days(1)) {
    if (!taken.contains(format_date(of))) out.push_back(of);
  }
  std::ranges::reverse(out);
  return out;
}

// Those of the dates' files that are there, looked at twice. A folder that nobody may look into is said once,
// of the last date.
std::vector<FileOfLabels> files_there(const Settings& settings, const std::vector<Days>& dates) {
  std::vector<FileOfLabels> out;
  for (const Days date : dates) {
    const std::string path = labels_file(settings, date);
    if (is_query(path)) {
      const auto any = query_gives_rows(settings, path, date);
      if (!any)
        out.push_back({date, path, tl::make_unexpected(any.error())});
      else if (*any)
        out.push_back({date, path, FileSeen{path, {}}});
      continue;
    }
    FileOfLabels file{date, path, look_at(path)};
    const bool hidden = !file.seen && file.seen.error().code == ErrorCode::kIo && date != dates.back();
    if (!hidden && (!file.seen || *file.seen)) out.push_back(std::move(file));
  }
  if (out.empty() || is_query(settings.labels)) return out;
  std::this_thread::sleep_for(kBetweenTwoLooks);
  for (auto& file : out) {
    if (!file.seen) continue;
    auto again = look_at(file.path);
    if (again && *again && !is_same(**file.seen, **again))
      again = fail(ErrorCode::kUnavailable, fmt::format("{} is still being written to", file.path));
    file.seen = std::move(again);
  }
  std::erase_if(out, [](const FileOfLabels& file) { return file.seen && !*file.seen; });  // gone again
  return out;
}

// Takes the file in and commits it by itself: whole, or not at all, and a try that is repeated finds nothing
// new in it.
Result<LabelImport> take_in(const Day& day, const dag::TaskContext& context, const FileOfLabels& file) {
  if (!file.seen) return tl::make_unexpected(file.seen.error());
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), day.settings.time_zone));
  const LabelRequest request{.in = (*file.seen)->path,
                             .asked_for = file.date,
                             .date = {},
                             .observed = context.logical_date,
                             .today = std::max(today, context.logical_date)};
  const LabelOwner owner{context.task_key(), context.run_id, context.logical_date};
  const Watcher watcher{[&](std::string_view line, bool warning) {
                          context.log(warning ? fmt::format("warning: {}", line) : std::string(line));
                        },
                        [&](uint64_t done, uint64_t total) { context.progress("labels", done, total); }};
  return import_labels(context.store, day.settings, day.spec, request, owner, watcher, context.fence);
}

// The alerts about the date's file that count.
Result<std::vector<Document>> present_alerts(store::Store& store, Days date) {
  store::FindOptions present;
  present.filter = {
      {"alert_type", kNotTakenIn}, {"labels_of", format_date(date)}, {"superseded_by", {{"$exists", false}}}};
  return store.find("alerts", present);
}

// Of a file that stays as wrong as it is one alert, however many days try it.
Status note_not_taken_in(const dag::TaskContext& context, const FileOfLabels& file, const Error& why,
                         dag::TaskOutcome& out) {
  context.log(fmt::format("warning: the labels of {} are not taken in: {}", file.path, why.message));
  out.message += fmt::format("; {} is not taken in", short_name(file.path));
  MAEIL_ASSIGN(const auto present, present_alerts(context.store, file.date));
  if (std::ranges::any_of(
          present, [&](const Document& alert) { return store::text_field(alert, "reason") == why.message; }))
    return {};
  Document alert = stamped(
      context, "alerts",
      {{"alert_type", kNotTakenIn},
       {"severity", "WARNING"},
       {"labels_of", format_date(file.date)},
       {"path", file.path},
       {"reason", why.message},
       {"message",
        fmt::format("The labels of {} are not taken in: {}. The day goes on without them; the next day that "
                    "runs tries again, `maeil labels import --in F` takes them in at once.",
                    file.path, why.message)}});
  // Not the n-th document of the collection: what it stands for is said here (dag/task_history.h).
  alert["_id"] = store::id_value(
      store::task_object_id(context.task_key(), fmt::format("alerts/labels {}", format_date(file.date)), 0));
  for (const auto& old : present) {
    alert["supersedes"] = old.at("_id");
    out.batch.sets.push_back({"alerts", store::id_text(old.at("_id")), {{"superseded_by", alert["_id"]}}});
  }
  out.batch.puts.push_back({"alerts", std::move(alert)});
  return {};
}

// That it was taken in is in the task's record, which stands for what was said of the file before.
Status note_taken_in(const dag::TaskContext& context, const FileOfLabels& file, const LabelImport& import,
                     dag::TaskOutcome& out) {
  for (const auto& one : import.dates) {
    if (one.metrics.is_object())
      context.log(fmt::format("scores of {}: {}", format_date(one.date), describe(one.metrics)));
  }
  out.message += fmt::format("; {}: {}", short_name(file.path), describe(import));
  Document facts = {{"labels_of", format_date(file.date)}, {"path", file.path}};
  facts.update(import_facts(import));
  out.result["label_files"].push_back(std::move(facts));
  MAEIL_ASSIGN(const auto present, present_alerts(context.store, file.date));
  for (const auto& alert : present) {
    out.batch.sets.push_back({"alerts",
                              store::id_text(alert.at("_id")),
                              {{"superseded_by", store::id_value(dag::record_id(context.name()))}}});
  }
  return {};
}

}  // namespace

std::string labels_file(const Settings& settings, Days date) { return with_date(settings.labels, date); }

Status take_day_labels(const Day& day, const dag::TaskContext& context, dag::TaskOutcome& out) {
  if (day.settings.labels.empty()) return {};
  MAEIL_ASSIGN(const auto dates, dates_to_take(day, context));
  const auto files = files_there(day.settings, dates);
  const bool looked = !dates.empty() && dates.back() == context.logical_date;
  if (looked && (files.empty() || files.back().date != context.logical_date)) {
    const std::string name = labels_file(day.settings, context.logical_date);
    context.log(fmt::format("no labels today: {} {} (LABELS)", name,
                            is_query(name) ? "gives no rows" : "is not there"));
  }
  // What the date took in of others before it is done again.
  for (const auto& file : context.earlier_result.value("label_files", Document::array())) {
    if (store::text_field(file, "labels_of") != format_date(context.logical_date))
      out.result["label_files"].push_back(file);
  }
  if (files.empty()) return {};
  const auto lock = lock_labels(context.store);
  for (const auto& file : files) {
    const auto import = lock ? take_in(day, context, file) : tl::make_unexpected(lock.error());
    MAEIL_TRY(import ? note_taken_in(context, file, *import, out)
                     : note_not_taken_in(context, file, import.error(), out));
  }
  return {};
}

Status judge_new_scores(const Day& day, const dag::TaskContext& context, const store::Document& predictions,
                        dag::TaskOutcome& out) {
  const Days date = context.logical_date;
  MAEIL_ASSIGN(const LabelFence fence, read_label_fence(context.store, date));
  add_label_fence(fence, predictions.at("_id"), out.batch);
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
