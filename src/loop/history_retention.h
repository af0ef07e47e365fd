// RETENTION_DAYS_HISTORY: how long it is kept how the tasks of a date ran.
//
// Of a date that is over and older, its dag_runs, its logs and what task_history kept of it are removed; each
// of its records in task_instances stays with what a later run goes by (state, completions, try_number, next,
// result ...) and loses `program`, `hostname` and `pid`, so that the date still counts as done, and doing it
// again adds to what it recorded and replaces nothing. What the tasks made (events, metrics, models,
// audit_log) is not history and stays.
#pragma once

#include <string>
#include <vector>

#include "dag/dag.h"
#include "store/store.h"

namespace maeil::loop {

struct PrunedHistory {
  std::vector<std::string> dates;
  int64_t runs = 0, logs = 0,
          records = 0;  // documents of dag_runs; of task_logs; of task_history and of task_instances (cut)
  std::vector<std::string> open;  // older dates that are not over: nothing of them goes
};

// Of dates before `before`. A commit has at most some hundred documents; a kill leaves the rest for the next
// time. With `dry_run` nothing changes. REQUIRES: otherwise the caller holds the runner's lock.
Result<PrunedHistory> prune_history(store::Store& store, const std::vector<dag::DagSpec>& dags, Days before,
                                    bool dry_run);

}  // namespace maeil::loop
