// What Airflow would do with a task, given the states of the tasks before it: pure functions over a DAG and
// its records.
#pragma once

#include <map>
#include <string>

#include "dag/dag.h"
#include "dag/task_record.h"

namespace maeil::dag {

enum class Decision { kRun, kSkip, kUpstreamFailed };

// REQUIRES: every upstream of the task has a finished record. Rules, as Airflow's:
// - a branch that did not choose a direct downstream skips it, unless that is also reached from a chosen one;
// - kAllSuccess: a failed upstream fails it (upstream_failed), a skipped one skips it;
// - kNoneFailedMinOneSuccess: a failed upstream fails it, no success at all skips it.
Decision decide(const DagSpec& dag, const TaskSpec& task, const std::map<std::string, TaskRecord>& records);

}  // namespace maeil::dag
