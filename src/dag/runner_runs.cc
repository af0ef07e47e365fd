#include "dag/runner_runs.h"

#include <fmt/format.h>
#include <unistd.h>

#include "dag/dag_state.h"
#include "store/certain_commit.h"
#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;

Result<TaskState> how_it_stands(store::Store& store, const std::vector<DagSpec>& dags, const Document& run) {
  const DagSpec* dag = find_dag(dags, store::text_field(run, "dag_id"));
  const auto date = parse_date(store::text_field(run, "logical_date"));
  if (!dag || !date) return TaskState::kFailed;
  MAEIL_ASSIGN(const auto records, read_records(store, *date, dag->id));
  return final_state(*dag, records);
}

}  // namespace

Status close_dead_runs(store::Store& store, const std::vector<DagSpec>& dags) {
  store::FindOptions dead;
  dead.filter = {{"state", to_string(TaskState::kRunning)}, {"run_type", {{"$ne", kTaskByTask}}}};
  MAEIL_ASSIGN(const auto runs, store.find(kDagRuns, dead));
  store::Batch batch;
  for (const auto& run : runs) {
    MAEIL_ASSIGN(const TaskState state, how_it_stands(store, dags, run));
    const bool done = state == TaskState::kSuccess;
    batch.sets.push_back({kDagRuns,
                          store::id_text(run.value("_id", Document())),
                          {{"state", to_string(state)},
                           {"message", done ? "its process died after the last task" : "its process died"}}});
  }
  return batch.sets.empty() ? Status{} : store.commit(batch);
}

RunnerRun::RunnerRun(store::Store& store, const DagSpec& dag, Days logical_date, const RunOptions& options)
    : store_(store), dag_id_(dag.id), date_(logical_date), options_(options), start_(now()) {}

Status RunnerRun::begin(bool resumed) {
  run_type_ = resumed ? "resumed" : options_.run_type;
  MAEIL_TRY(write("running", ""));
  begun_ = true;
  return {};
}

Status RunnerRun::end(std::string_view state, const std::string& message) { return write(state, message); }

Status RunnerRun::write(std::string_view state, const std::string& message) {
  const std::string id = dag_run_id(date_, dag_id_, options_.run_id);
  const bool ended = state != "running";
  const Instant at = now();
  Document out = {
      {"_id", store::id_value(id)},
      {"logical_date", format_date(date_)},
      {"dag_id", dag_id_},
      {"run_id", options_.run_id},
      {"run_type", run_type_},
      {"state", state},
      {"start_date", store::date_value(start_)},
      {"end_date", ended ? store::date_value(at) : Document()},
      {"duration", ended ? Document(std::chrono::duration<double>(at - start_).count()) : Document()},
      {"message", clean_text(message, 10000)},
      {"hostname", host_name()},
      {"pid", ::getpid()},
      {"timestamp", store::date_value(at)}};
  if (!options_.program.is_null()) out["program"] = options_.program;
  store::Batch batch;
  batch.puts.push_back({kDagRuns, std::move(out)});
  const auto is_there = [&]() -> Result<bool> {
    store::FindOptions same;
    same.filter = {{"_id", store::id_value(id)}, {"state", state}};
    MAEIL_ASSIGN(const Document found, store_.find_one(kDagRuns, same));
    return !found.is_null();
  };
  MAEIL_ASSIGN(const Status done,
               store::commit_for_certain(store_, batch, is_there, "`maeil runs` shows what is recorded"));
  return done;
}

}  // namespace maeil::dag
