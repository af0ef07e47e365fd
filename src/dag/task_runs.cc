#include "dag/task_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dag/journal.h"
#include "dag/plan.h"
#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;
using Records = std::map<std::string, TaskRecord>;  // of one DAG and date; those of shards among them

bool has_failed(const TaskRecord& record, Instant at) {
  return record.state == TaskState::kFailed || record.state == TaskState::kUpstreamFailed || is_dead(record, at);
}

// Whether every task of the DAG has ended, or will never begin because of how others ended.
bool is_over(const DagSpec& dag, Records records) {
  for (const auto& task : dag.tasks) {  // upstreams come first
    TaskRecord& record = records[task.id];
    if (is_finished(record.state)) continue;
    const bool settled = std::ranges::all_of(task.upstream, [&](const std::string& id) { return is_finished(records[id].state); });
    if (record.state != TaskState::kNone || !settled || decide(dag, task, records) == Decision::kRun) return false;
    record.state = TaskState::kSkipped;
  }
  return true;
}

// State and message of a DAG's date.
std::pair<TaskState, std::string> state_of(const DagSpec* dag, const Records& records, Instant at) {
  const auto failed = std::ranges::find_if(records, [&](const auto& item) { return has_failed(item.second, at); });
  if (failed != records.end()) return {TaskState::kFailed, fmt::format("{}: {}", failed->first, failed->second.message)};
  const bool all_ended = std::ranges::all_of(records, [](const auto& item) { return item.second.state == TaskState::kNone || is_finished(item.second.state); });
  return {all_ended && (!dag || is_over(*dag, records)) ? TaskState::kSuccess : TaskState::kRunning, ""};
}

// The document of one run: its own tasks say when it was, all of the date's how it stands.
Document run_document(const std::string& date, const std::string& dag_id, const std::string& run_id, const DagSpec* dag, const Records& records,
                      Instant at) {
  std::vector<Instant> starts, ends;
  for (const auto& [id, record] : records) {
    if (record.run_id != run_id) continue;
    if (record.start) starts.push_back(*record.start);
    if (record.end) ends.push_back(*record.end);
  }
  const auto [state, message] = state_of(dag, records, at);
  Document start, end, duration;
  if (!starts.empty()) start = store::date_value(std::ranges::min(starts));
  if (!ends.empty() && state != TaskState::kRunning) {
    end = store::date_value(std::ranges::max(ends));
    if (!starts.empty()) duration = std::chrono::duration<double>(std::ranges::max(ends) - std::ranges::min(starts)).count();
  }
  return {{"logical_date", date},
          {"dag_id", dag_id},
          {"run_id", run_id},
          {"run_type", kTaskByTask},
          {"state", to_string(state)},
          {"start_date", start},
          {"end_date", end},
          {"duration", duration},
          {"message", message}};
}

}  // namespace

Result<std::vector<Document>> all_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  MAEIL_ASSIGN(auto out, runs(store));
  MAEIL_ASSIGN(const Instant at, store.time());
  std::set<std::string> known;
  for (const auto& run : out) known.insert(store::text_field(run, "run_id"));

  std::map<std::pair<std::string, std::string>, Records> dates;  // by logical date and DAG
  store::FindOptions fields;
  fields.projection = {"logical_date", "dag_id", "task_id", "run_id", "state", "next", "start_date", "end_date", "retries_left", "alive_until", "message"};
  MAEIL_TRY(store.find_each(kTaskInstances, fields, [&](Document&& document) {
    TaskRecord record = record_from(document);
    const std::string id = record.task_id;
    dates[{store::text_field(document, "logical_date"), store::text_field(document, "dag_id")}][id] = std::move(record);
    return true;
  }));
  for (const auto& [name, records] : dates) {
    const auto& [date, dag_id] = name;
    const auto dag = std::ranges::find(dags, dag_id, &DagSpec::id);
    std::set<std::string> run_ids;
    for (const auto& [id, record] : records) {
      if (record.state != TaskState::kNone && !known.contains(record.run_id)) run_ids.insert(record.run_id);
    }
    for (const auto& run_id : run_ids) out.push_back(run_document(date, dag_id, run_id, dag == dags.end() ? nullptr : &*dag, records, at));
  }
  const auto started = [](const Document& run) { return store::instant_of(run.value("start_date", Document())).value_or(Instant{}); };
  std::ranges::stable_sort(out, std::ranges::greater{}, started);
  return out;
}

}  // namespace maeil::dag
