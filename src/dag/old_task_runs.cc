#include "dag/old_task_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "dag/dag_run.h"
#include "dag/dag_state.h"
#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;
using store::text_field;
using Records = std::map<std::string, TaskRecord>;  // of one DAG and date; those of shards among them

constexpr const char* kMigrations = "migrations";
// The id of the document that says that list_old_task_runs is done.
std::string migration_id(const store::Store& store) {
  return store::task_object_id(store.name_here("runs of tasks in dag_runs"), kMigrations, 0);
}

std::string run_key(const std::string& date, const std::string& dag_id, const std::string& run_id) {
  return fmt::format("{}/{}/{}", date, dag_id, run_id);
}

// The documents that dag_runs should have beside those that it has, by the records alone.
Result<std::vector<Document>> missing_task_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  std::set<std::string> known;
  store::FindOptions ids;
  ids.projection = {"logical_date", "dag_id", "run_id"};
  MAEIL_TRY(store.find_each(kDagRuns, ids, [&](Document&& run) {
    known.insert(
        run_key(text_field(run, "logical_date"), text_field(run, "dag_id"), text_field(run, "run_id")));
    return true;
  }));
  std::map<std::pair<std::string, std::string>, Records> dates;  // by logical date and DAG
  store::FindOptions fields;
  fields.projection = {"logical_date", "dag_id",   "task_id",      "run_id",      "state",  "next",
                       "start_date",   "end_date", "retries_left", "alive_until", "message"};
  fields.filter = {{"pruned", {{"$exists", false}}}};
  MAEIL_TRY(store.find_each(kTaskInstances, fields, [&](Document&& document) {
    TaskRecord record = record_from(document);
    const std::string id = record.task_id;
    dates[{text_field(document, "logical_date"), text_field(document, "dag_id")}][id] = std::move(record);
    return true;
  }));
  MAEIL_ASSIGN(const Instant at, store.time());
  std::vector<Document> out;
  for (const auto& [name, records] : dates) {
    const auto date = parse_date(name.first);
    if (!date) continue;
    const auto [state, message] = state_of_date(find_dag(dags, name.second), records, at);
    std::map<std::string, Instant> starts;  // by run
    for (const auto& [id, record] : records) {
      if (record.state == TaskState::kNone || known.contains(run_key(name.first, name.second, record.run_id)))
        continue;
      const Instant start = record.start.value_or(record.end.value_or(Instant{}));
      const auto [begun, first] = starts.try_emplace(record.run_id, start);
      if (!first) begun->second = std::min(begun->second, start);
    }
    for (const auto& [run_id, start] : starts) {
      out.push_back(task_run_document(*date, name.second, run_id, start));
      out.back().update(standing(records, run_id, start, state, message));
    }
  }
  return out;
}

Result<bool> old_runs_are_listed(store::Store& store) {
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(migration_id(store))}};
  MAEIL_ASSIGN(const Document done, store.find_one(kMigrations, by_id));
  return !done.is_null();
}

}  // namespace

Result<std::vector<Document>> old_task_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  MAEIL_ASSIGN(const bool listed, old_runs_are_listed(store));
  if (listed) return std::vector<Document>();
  return missing_task_runs(store, dags);
}

Status list_old_task_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  MAEIL_ASSIGN(const bool listed, old_runs_are_listed(store));
  if (listed) return {};
  MAEIL_ASSIGN(auto missing, missing_task_runs(store, dags));
  for (size_t at = 0; at < missing.size(); ++at) {
    // Each on its own, and only where there is none: other workers begin runs meanwhile.
    store::Batch batch;
    batch.expects.push_back({kDagRuns, store::id_text(missing[at].value("_id", Document())), Document()});
    batch.puts.push_back({kDagRuns, std::move(missing[at])});
    MAEIL_TRY(unless_conflict(store.commit(batch)));
  }
  store::Batch done;
  done.puts.push_back({kMigrations,
                       {{"_id", store::id_value(migration_id(store))},
                        {"name", "runs of tasks in dag_runs"},
                        {"timestamp", store::date_value(now())}}});
  return store.commit(done);
}

}  // namespace maeil::dag
