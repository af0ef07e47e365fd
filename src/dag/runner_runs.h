// The built-in runner's runs in dag_runs: begun, ended, and closed when their process died.
//
// REQUIRES of everything here: the caller holds the lock "runner", so a run that says running and is not the
// caller's is dead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dag/dag_run.h"
#include "dag/execute.h"

namespace maeil::dag {

// Closes every run that still says running, whatever its date: failed, or success when its DAG is among
// `dags` and its process died after the last task. One look-up by state.
Status close_dead_runs(store::Store& store, const std::vector<DagSpec>& dags);

// The document of one run.
class RunnerRun {
 public:
  RunnerRun(store::Store& store, const DagSpec& dag, Days logical_date, const RunOptions& options);
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
