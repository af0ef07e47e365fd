// The built-in runner: the DAGs of one logical date, one task after the other, from wherever an earlier run
// stopped.
//
// What a record says is finished with success or skipped is not done again; a failed task, one that a dead
// run left running, and everything that did not run is. A task that another process (an Airflow worker,
// `maeil task`) is executing is left to it (claim.h). States, trigger rules and branches are Airflow's
// (trigger_rules.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dag/execute.h"

namespace maeil::dag {

struct DagResult {
  std::string dag_id;
  // kSuccess, kFailed (a task failed, or its upstream), kNone: cancelled or not begun
  TaskState state = TaskState::kNone;
  int executed = 0;               // tasks that ran now
  bool already_finished = false;  // nothing was left to do; no record was written
  bool cancelled = false;
  std::vector<TaskRecord> tasks;  // in the DAG's order; those without a record are left out
  // of the first failed task, with its name; kConflict: a task is another process's
  std::optional<Error> error;
};

struct DayResult {
  TaskState state = TaskState::kNone;
  bool already_finished = false;  // every DAG had finished before
  bool cancelled = false;
  std::vector<DagResult> dags;  // those that began; a failed or cancelled DAG is the last
  std::optional<Error> error;
};

// The lock "runner" for these options. A dead holder's lease on a server is waited for, with a log event that
// says so. kConflict when the holder lives; kCancelled when a signal ended the waiting.
Result<std::unique_ptr<store::Lock>> lock_runner(store::Store& store, const RunOptions& options);

// REQUIRES: the caller holds the store's lock "runner", so a record that says running without a claim belongs
// to a dead run. A failed task is part of the result; an error is a store that cannot be read or written, or
// a wrong DAG.
Result<DagResult> run_dag(store::Store& store, const DagSpec& dag, const TaskTable& table, Days logical_date,
                          const RunOptions& options);

// The DAGs in this order under the lock "runner"; a DAG that fails or is cancelled is the last. kConflict:
// another run holds the lock. Runs of any date that a killed process left "running" are closed first.
Result<DayResult> run_dags(store::Store& store, const std::vector<DagSpec>& dags, const TaskTable& table,
                           Days logical_date, const RunOptions& options);

// Whether a run for this date would find nothing to do. Needs no lock.
Result<bool> is_finished(store::Store& store, const std::vector<DagSpec>& dags, Days logical_date);

}  // namespace maeil::dag
