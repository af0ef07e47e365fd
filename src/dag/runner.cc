#include "dag/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "dag/claim.h"
#include "dag/dag_state.h"
#include "dag/runner_runs.h"
#include "dag/task_history.h"
#include "dag/trigger_rules.h"

namespace maeil::dag {
namespace {

using Records = std::map<std::string, TaskRecord>;

bool is_success(TaskState state) { return state == TaskState::kSuccess || state == TaskState::kSkipped; }

enum class Step { kKeep, kRun, kSkip, kUpstreamFailed };

// What is to be done with a task whose upstreams have ended.
Step next_step(const DagSpec& dag, const TaskSpec& task, const Records& records, bool clear) {
  const Decision decision = decide(dag, task, records);
  const auto found = records.find(task.id);
  const TaskRecord* record = found == records.end() ? nullptr : &found->second;
  if (decision == Decision::kUpstreamFailed) {
    return record && record->state == TaskState::kUpstreamFailed ? Step::kKeep : Step::kUpstreamFailed;
  }
  if (decision == Decision::kSkip) {
    return record && record->state == TaskState::kSkipped && !record->skipped_by.empty() ? Step::kKeep
                                                                                         : Step::kSkip;
  }
  const bool finished = record && (record->state == TaskState::kSuccess ||
                                   (record->state == TaskState::kSkipped && record->skipped_by.empty()));
  return finished && !clear ? Step::kKeep : Step::kRun;
}

// About a task, or about the whole DAG when there is no record.
void tell(const RunOptions& options, Event::Kind kind, const DagSpec& dag, const TaskRecord* record,
          TaskState state, const std::string& text) {
  if (!options.on_event) return;
  Event event;
  event.kind = kind;
  event.dag_id = dag.id;
  event.state = state;
  event.text = text;
  if (record) {
    event.task_id = record->task_id;
    event.attempt = record->attempt;
    event.try_number = record->try_number;
  }
  options.on_event(event);
}

// A record for a task that the runner does not run: skipped, or its upstream failed.
Result<TaskRecord> record_without_running(store::Store& store, const DagSpec& dag, const TaskSpec& task,
                                          Days logical_date, const Records& records, Step step,
                                          const RunOptions& options) {
  const TaskName name{logical_date, dag.id, task.id};
  TaskRecord record;
  record.task_id = task.id;
  record.attempt = task.attempt;
  record.run_id = options.run_id;
  if (const auto before = records.find(task.id); before != records.end()) {
    record.try_number = before->second.try_number;
    record.completions = before->second.completions;
    record.result = before->second.result;
  }
  record.state = step == Step::kSkip ? TaskState::kSkipped : TaskState::kUpstreamFailed;
  record.end = now();
  for (const auto& id : task.upstream) {
    const TaskState state = records.at(id).state;
    const bool cause = step == Step::kSkip
                           ? state == TaskState::kSkipped || find_task(dag, id)->kind == TaskKind::kBranch
                           : state == TaskState::kFailed || state == TaskState::kUpstreamFailed;
    if (!cause) continue;
    if (step == Step::kSkip) record.skipped_by = id;
    record.message =
        fmt::format("{} {}", id, state == TaskState::kSuccess ? "chose another way" : to_string(state));
    break;
  }
  store::Batch batch;  // documents of an earlier run that took this way stay: they are history
  store::Document document = {{"_id", store::id_value(record_id(name))}};
  document.update(record_fields(name, record));
  batch.puts.push_back({kTaskInstances, std::move(document)});
  MAEIL_TRY(store.commit(batch));
  tell(options, Event::Kind::kTaskFinished, dag, &record, record.state, record.message);
  return record;
}

std::optional<Error> first_error(const DagSpec& dag, const Records& records) {
  for (const auto& task : dag.tasks) {
    const auto found = records.find(task.id);
    if (found == records.end() || found->second.state != TaskState::kFailed) continue;
    Error error = found->second.error.value_or(Error{ErrorCode::kUnavailable, found->second.message});
    error.message = fmt::format("{}.{}: {}", dag.id, task.id, error.message);
    return error;
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<store::Lock>> lock_runner(store::Store& store, const RunOptions& options) {
  return store.wait_for_lock("runner", options.holder, [&](std::string_view sentence) {
    if (!sentence.empty() && options.on_event) {
      Event event;
      event.text = sentence;
      options.on_event(event);
    }
    return !options.cancelled || !options.cancelled->load();
  });
}

Result<DagResult> run_dag(store::Store& store, const DagSpec& dag, const TaskTable& table, Days logical_date,
                          const RunOptions& options) {
  MAEIL_TRY(check_dag(dag));
  for (const auto& task : dag.tasks) MAEIL_TRY(find_function(table, dag.id, task.id));
  MAEIL_ASSIGN(Records records, read_records(store, logical_date, dag.id));
  count_as_done(dag, records);
  const bool resumed = !records.empty() && !options.clear;
  DagResult result;
  result.dag_id = dag.id;
  RunnerRun run(store, dag, logical_date, options);
  std::optional<Error> refused;  // another process is at work here
  for (const auto& task : dag.tasks) {
    Step step = next_step(dag, task, records, options.clear);
    if (step != Step::kKeep) {
      if (options.cancelled && options.cancelled->load()) {
        result.cancelled = true;
        break;
      }
      auto free = wait_until_free(store, {logical_date, dag.id, task.id}, options);
      if (!free && free.error().code == ErrorCode::kCancelled) {
        result.cancelled = true;
        break;
      }
      if (!free && free.error().code == ErrorCode::kConflict) {
        refused = std::move(free.error());
        break;
      }
      MAEIL_TRY(free);
      if (*free) {  // as it is now: another process may have finished it
        records[task.id] = std::move(**free);
        step = next_step(dag, task, records, options.clear);
      }
    }
    if (step == Step::kKeep) {
      const TaskRecord& kept = records.at(task.id);
      tell(options, Event::Kind::kTaskKept, dag, &kept, kept.state, kept.message);
      continue;
    }
    if (!run.begun()) {
      MAEIL_TRY(run.begin(resumed));
      tell(options, Event::Kind::kDagStarted, dag, nullptr, TaskState::kRunning,
           resumed ? "resumed" : options.run_type);
    }
    if (step == Step::kRun) {
      auto executed = execute_task(store, dag, table, logical_date, task.id, options, true);
      if (!executed && executed.error().code == ErrorCode::kConflict) {
        refused = std::move(executed.error());
        break;
      }
      MAEIL_ASSIGN(records[task.id], std::move(executed));
      ++result.executed;
      // as in the store: what followed its old answer says nothing more
      for (const auto& id : followers_of(dag, {task.id})) {
        if (const auto after = records.find(id); after != records.end())
          after->second.state = TaskState::kNone;
      }
      const auto& error = records[task.id].error;
      result.cancelled = error && error->code == ErrorCode::kCancelled;
      if (result.cancelled) break;
    } else {
      MAEIL_ASSIGN(records[task.id],
                   record_without_running(store, dag, task, logical_date, records, step, options));
    }
  }
  for (const auto& task : dag.tasks) {
    if (const auto found = records.find(task.id); found != records.end())
      result.tasks.push_back(found->second);
  }
  result.already_finished = !run.begun() && !result.cancelled && !refused;
  if (result.cancelled) {
    result.error = Error{ErrorCode::kCancelled,
                         fmt::format("DAG {} was stopped by a signal: run it again to go on", dag.id)};
  } else if (refused) {
    result.state = TaskState::kFailed;
    result.error = std::move(refused);
  } else {
    result.state = final_state(dag, records);
    if (result.state == TaskState::kFailed) result.error = first_error(dag, records);
  }
  if (run.begun()) {
    MAEIL_TRY(run.end(result.cancelled ? "cancelled" : to_string(result.state),
                      result.error ? result.error->message : ""));
    tell(options, Event::Kind::kDagFinished, dag, nullptr, result.state,
         result.error ? result.error->message : "");
  }
  return result;
}

Result<DayResult> run_dags(store::Store& store, const std::vector<DagSpec>& dags, const TaskTable& table,
                           Days logical_date, const RunOptions& options) {
  MAEIL_ASSIGN(const auto lock, lock_runner(store, options));
  MAEIL_TRY(close_dead_runs(store, dags));
  DayResult day;
  day.already_finished = true;
  for (const auto& dag : dags) {
    MAEIL_ASSIGN(DagResult result, run_dag(store, dag, table, logical_date, options));
    day.already_finished &= result.already_finished;
    day.state = result.state;
    day.cancelled = result.cancelled;
    day.error = result.error;
    day.dags.push_back(std::move(result));
    if (day.state != TaskState::kSuccess) break;
  }
  return day;
}

Result<bool> is_finished(store::Store& store, const std::vector<DagSpec>& dags, Days logical_date) {
  for (const auto& dag : dags) {
    MAEIL_ASSIGN(Records records, read_records(store, logical_date, dag.id));
    count_as_done(dag, records);
    for (const auto& task : dag.tasks) {
      const auto found = records.find(task.id);
      if (found == records.end() || !is_success(found->second.state)) return false;
      if (next_step(dag, task, records, false) != Step::kKeep) return false;
    }
  }
  return true;
}

}  // namespace maeil::dag
