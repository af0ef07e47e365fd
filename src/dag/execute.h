// One task, once: its record, its tries, and the one commit that makes its work and its success true
// together.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dag/dag.h"
#include "dag/task_record.h"

namespace maeil::dag {

// What is told while things happen, for the terminal. Never called twice at a time.
struct Event {
  enum class Kind {
    kDagStarted,
    kDagFinished,    // state, text
    kTaskStarted,    // try_number
    kTaskFinished,   // state, text (the task's message or error), seconds
    kTaskKept,       // finished by an earlier run: state
    kTaskRetried,    // text: the error; a further try follows
    kSensorWaiting,  // text: what it waits for
    kLog,            // text: one line
    kProgress,       // text, done, total
  };
  Kind kind = Kind::kLog;
  std::string dag_id, task_id;
  TaskState state = TaskState::kNone;
  int attempt = 0, try_number = 0;
  std::string text;
  double seconds = 0;
  uint64_t done = 0, total = 0;
};

struct RunOptions {
  std::string run_id;
  // manual, scheduled, backfill; a run that goes on is recorded as "resumed"
  std::string run_type = "manual";
  std::string holder = "maeil run";  // what the lock's message says to others
  bool clear = false;                // do finished tasks again
  // begins a task that another process has claimed (claim.h): Airflow knows its workers
  bool takes_over = false;
  // of a shardable task; a part has a record and a log of its own, "task_id[2/7]"
  Shard shard;
  // tries that the caller will make after a failure (Airflow does)
  int retries_left = 0;
  // how often a running task's record says that its process lives; 0: never
  std::chrono::milliseconds heartbeat{0};
  std::chrono::milliseconds poke_interval{300'000};  // SENSOR_POKE_INTERVAL
  std::chrono::milliseconds sensor_timeout{3'600'000};
  std::chrono::milliseconds retry_delay{1000};   // before the second try; doubles
  const std::atomic<bool>* cancelled = nullptr;  // set by a signal: stop after the present task
  std::function<void(const Event&)> on_event;
  // Adds to the commit of the record of a task that failed by itself, was not cancelled, and is not tried
  // again.
  std::function<void(const TaskName& name, const TaskRecord& record, store::Batch& batch)> on_failure;
  // what runs here: field `program` of the run's record and of its tasks'; null: none
  store::Document program;
};

// The function of a task: the id without the group's "retrain_<k>." before it. kInternal when the table has
// none.
Result<TaskFunction> find_function(const TaskTable& table, std::string_view dag_id, std::string_view task_id);

// A process that has not said for so many heartbeats that it lives is dead.
inline constexpr int kHeartbeatsMissed = 6;

// Runs one task of `dag` whatever its record says (`maeil task`, Airflow's unit). Writes state running, calls
// the function, and commits its batch with its record in one step. A task that was finished before adds to
// what it wrote then (TaskContext::completions) and replaces nothing; a try that never finished is repeated
// under the same ids. An error whose exit code is 1 is tried again, TaskSpec::retries times; between two
// tries its state is up_for_retry. Records of the tasks that follow it go back to "none": what they said was
// about another answer of this one (Airflow's clear runs them again, and
//  so does the runner). A sensor is asked until it answers if `wait` is set, else once (state waiting).
// The result is the record as it is in the store: a failed task is a record with state failed, not an error.
// Errors: unknown task; a store that cannot be written, which leaves the record running (a later run takes it
// up), or whose answer was lost and that cannot be read: the sentence says that nobody knows; kConflict:
// another try of the task began meanwhile, and nothing of this one counts, or it is claimed and
// RunOptions::takes_over is not set.
Result<TaskRecord> execute_task(store::Store& store, const DagSpec& dag, const TaskTable& table,
                                Days logical_date, std::string_view task_id, const RunOptions& options,
                                bool wait);

// False when cancelled before the time was over.
bool sleep_unless_cancelled(std::chrono::milliseconds time, const std::atomic<bool>* cancelled);

}  // namespace maeil::dag
