#include "loop/day_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <set>

#include "alerting/count_alerts.h"
#include "dag/task_record.h"
#include "loop/challengers.h"
#include "loop/deployment.h"
#include "loop/labels/matured.h"
#include "loop/pipelines.h"
#include "loop/training.h"
#include "loop/validate_data.h"
#include "registry/audit.h"
#include "registry/versions.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;
using store::text_field;

constexpr size_t kNamedDates = 5;

// Of a date, by those that wrote them for it; without what was superseded since. Oldest first.
Result<std::vector<Document>> documents_of(store::Store& store, const char* collection, Days date) {
  store::FindOptions find;
  find.filter = {{"logical_date", format_date(date)}, {"superseded_by", {{"$exists", false}}}};
  find.sort = {{"timestamp", 1}};
  return store.find(collection, find);
}

// The newest of them that a task of the date wrote; `task` empty: any task. Null: there is none.
Result<Document> written(store::Store& store, const char* collection, Days date, std::string_view dag = "",
                         std::string_view task = "") {
  const std::string key =
      task.empty() ? std::string() : dag::TaskName{date, store.name_here(dag), std::string(task)}.key();
  MAEIL_ASSIGN(auto documents, documents_of(store, collection, date));
  for (auto& document : documents | std::views::reverse) {
    const std::string own = text_field(document, "task_key");
    if (task.empty() ? !own.empty() : own.substr(0, own.find('#')) == key) return std::move(document);
  }
  return Document();
}

// "2026-07-05, 2026-07-04": the newest dates of which a task has a record; "" when there is none.
Result<std::string> newest_dates(store::Store& store) {
  std::vector<std::string> dates;
  store::FindOptions newest;
  newest.filter = Document::object();
  newest.sort = {{"logical_date", -1}};
  newest.projection = {"logical_date"};
  while (dates.size() < kNamedDates) {
    MAEIL_ASSIGN(const Document found, store.find_one(dag::kTaskInstances, newest));
    const std::string date = text_field(found, "logical_date");
    if (date.empty()) break;
    dates.push_back(date);
    newest.filter = {{"logical_date", {{"$lt", date}}}};
  }
  return fmt::format("{}", fmt::join(dates, ", "));
}

// In the order of the day's DAGs, of one DAG as they ended.
Result<std::vector<Document>> tasks_of(store::Store& store, Days date) {
  store::FindOptions find;
  find.filter = {{"logical_date", format_date(date)}};
  find.sort = {{"timestamp", 1}};
  MAEIL_ASSIGN(auto out, store.find(dag::kTaskInstances, find));
  // A shard is part of its task, which says how it went once it is whole.
  std::erase_if(out, [](const Document& task) {
    return text_field(task, "task_id").ends_with(']') && text_field(task, "state") == "success";
  });
  const std::vector<std::string> order = {store.name_here(kFirstDayDag), store.name_here(kDataDag),
                                          store.name_here(kEvaluationDag), store.name_here(kDeploymentDag),
                                          store.name_here(kScoringDag)};
  std::ranges::stable_sort(
      out, {}, [&](const Document& task) { return std::ranges::find(order, text_field(task, "dag_id")); });
  return out;
}

Status read_alerts(store::Store& store, Days date, pages::DayRecord& out) {
  MAEIL_ASSIGN(out.alerts, documents_of(store, alerting::kAlerts, date));
  std::set<std::string> keys;
  for (const auto& alert : out.alerts) {
    const std::string key = text_field(alert, "alert_key");
    if (!store::is_id(key) || !keys.insert(key).second) continue;
    store::FindOptions by_id;
    by_id.filter = {{"_id", store::id_value(key)}};
    MAEIL_ASSIGN(Document state, store.find_one(alerting::kStates, by_id));
    if (!state.is_null()) out.alert_states.push_back(std::move(state));
  }
  return {};
}

// Of the date's runs, whoever acted; about the date; on the day itself.
Status read_acts(store::Store& store, Days date, pages::DayRecord& out) {
  const std::string day = format_date(date);
  store::FindOptions of_date;
  of_date.filter = {{"logical_date", day}};
  of_date.projection = {"run_id"};
  MAEIL_ASSIGN(const auto runs, store.find("dag_runs", of_date));
  std::set<std::string> ids;
  for (const auto& run : runs) ids.insert(text_field(run, "run_id"));
  for (const auto& task : out.tasks) ids.insert(text_field(task, "run_id"));
  ids.erase("");
  ids.erase(kByHand);
  // "2026-07-03", "2026-07-03 from generate_data"
  const Document about = {{"what", {{"$gte", day}, {"$lt", day + "!"}}}};
  store::FindOptions find;
  find.filter = {{"$or", {{{"run_id", {{"$in", ids}}}}, {{"logical_date", day}}, about}}};
  find.sort = {{"timestamp", 1}};
  MAEIL_ASSIGN(out.acts, store.find(registry::kAuditLog, find));
  return {};
}

Status read_evaluation(store::Store& store, Days date, pages::DayRecord& out) {
  MAEIL_ASSIGN(out.evaluated, written(store, "performance_metrics", date, kEvaluationDag, "evaluate_model"));
  const Document& judged = store::field_at(out.evaluated, "model_id");
  const std::string id = judged.is_string() ? judged.get<std::string>() : store::id_text(judged);
  if (store::is_id(id)) {
    store::FindOptions by_id;
    by_id.filter = {{"_id", store::id_value(id)}};
    MAEIL_ASSIGN(out.model, store.find_one(registry::kCollection, by_id));
  }
  MAEIL_ASSIGN(out.verdict, written(store, "evaluation_events", date));
  MAEIL_ASSIGN(out.challenger, written(store, kChallengerEvents, date));
  MAEIL_ASSIGN(out.matured, documents_of(store, "performance_metrics", date));
  std::erase_if(out.matured, [](const Document& one) { return text_field(one, "dataset_name") != kMatured; });
  return {};
}

}  // namespace

Result<pages::DayRecord> read_day_record(store::Store& store, const std::string& dataset, Days date) {
  pages::DayRecord out{.date = format_date(date), .dataset = dataset};
  MAEIL_ASSIGN(out.tasks, tasks_of(store, date));
  if (out.tasks.empty()) {
    MAEIL_ASSIGN(const std::string dates, newest_dates(store));
    return not_found(
        dates.empty()
            ? fmt::format("{} never ran, nor did any other date: `maeil run --date {}` runs it", out.date,
                          out.date)
            : fmt::format("{} never ran; the newest dates that did are {} (`maeil runs` lists them)",
                          out.date, dates));
  }
  MAEIL_ASSIGN(out.raw_data, written(store, "raw_data", date));
  MAEIL_ASSIGN(out.data_validations, written(store, kValidations, date));
  MAEIL_ASSIGN(out.processing_metadata,
               written(store, "processing_metadata", date, kDataDag, "preprocess_data"));
  MAEIL_TRY(read_evaluation(store, date, out));
  MAEIL_ASSIGN(out.deployment_events, documents_of(store, kDeploymentEvents, date));
  MAEIL_ASSIGN(out.predictions, written(store, "predictions", date));
  MAEIL_TRY(read_alerts(store, date, out));
  MAEIL_TRY(read_acts(store, date, out));
  return out;
}

}  // namespace maeil::loop
