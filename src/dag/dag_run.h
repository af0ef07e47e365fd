// The built-in runner's runs in dag_runs: begun, ended, and closed when their process died.
//
// REQUIRES of everything here: the caller holds the lock "runner", so a run that says running and is not the
// caller's is dead.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dag/execute.h"
#include "dag/journal.h"

namespace maeil::dag {

// The state of a DAG whose tasks are all settled: success, or failed. Airflow asks only those that nothing
// follows; here any failed task counts, as a later run would do it again, and so does one without a record.
TaskState final_state(const DagSpec& dag, const std::map<std::string, TaskRecord>& records);

// Closes every run that still says running, whatever its date: failed, or success when its DAG is among
// `dags` and its process died after the last task. One look-up by state.
Status close_dead_runs(store::Store& store, const std::vector<DagSpec>& dags);

// The document of one run.
class DagRun {
 public:
  DagRun(store::Store& store, const DagSpec& dag, Days logical_date, const RunOptions& options);
  Status begin(bool resumed);
  bool begun() const { return begun_; }
  Status end(std::string_view state, const std::string& message);

 private:
  Status write(std::string_view state, const std::string& message);

  store::Store& store_;
  const std::string dag_id_;
  const Days date_;
  const RunOptions& options_;
  const Instant start_;
  std::string run_type_;
  bool begun_ = false;
};

}  // namespace maeil::dag
