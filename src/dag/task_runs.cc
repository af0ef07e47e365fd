#include "dag/task_runs.h"

#include <utility>

#include "dag/dag_run.h"
#include "dag/dag_state.h"
#include "store/field_rules.h"

namespace maeil::dag {

using store::Document;
using store::text_field;

Status note_task_begins(store::Store& store, const std::string& dag_id, Days logical_date,
                        const std::string& run_id, const Document& program) {
  const std::string id = dag_run_id(logical_date, dag_id, run_id);
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(id)}};
  MAEIL_ASSIGN(const Document found, store.find_one(kDagRuns, by_id));
  store::Batch batch;
  if (found.is_null()) {
    Document run = task_run_document(logical_date, dag_id, run_id, now());
    if (!program.is_null()) run["program"] = program;
    batch.expects.push_back({kDagRuns, id, Document()});
    batch.puts.push_back({kDagRuns, std::move(run)});
  } else {
    const std::string state = text_field(found, "state");
    if (text_field(found, "run_type") != kTaskByTask || state == to_string(TaskState::kRunning)) return {};
    batch.expects.push_back({kDagRuns, id, {{"state", state}}});
    batch.sets.push_back({kDagRuns,
                          id,
                          {{"state", to_string(TaskState::kRunning)},
                           {"end_date", nullptr},
                           {"duration", nullptr},
                           {"message", ""}}});
  }
  return unless_conflict(store.commit(batch));
}

Status note_task_ended(store::Store& store, const DagSpec& dag, Days logical_date,
                       const std::string& run_id) {
  MAEIL_ASSIGN(const auto records, read_records(store, logical_date, dag.id));
  MAEIL_ASSIGN(const Instant at, store.time());
  const auto [state, message] = state_of_date(&dag, records, at);
  if (state == TaskState::kRunning) return {};
  const std::string running(to_string(TaskState::kRunning));
  store::FindOptions of_date;
  of_date.filter = {
      {"logical_date", format_date(logical_date)}, {"dag_id", dag.id}, {"run_type", kTaskByTask}};
  MAEIL_ASSIGN(const auto runs, store.find(kDagRuns, of_date));
  for (const auto& run : runs) {
    // Those that are open, and this task's own: another worker may have seen the date as over before this
    // task began.
    const std::string before = text_field(run, "state");
    if (before != running && (text_field(run, "run_id") != run_id || before == to_string(state))) continue;
    const std::string id = store::id_text(run.value("_id", Document()));
    store::Batch batch;
    batch.expects.push_back({kDagRuns, id, {{"state", before}}});
    batch.sets.push_back(
        {kDagRuns, id, standing(records, text_field(run, "run_id"), start_of(run), state, message)});
    MAEIL_TRY(unless_conflict(store.commit(batch)));
  }
  return {};
}

}  // namespace maeil::dag
