// Doing a date again on purpose (`maeil redo`): the records from a task on go back to "none", and the day
// runs again from there.
//
// What the date recorded stays. The tasks that run again add new documents and versions, linked by
// `supersedes` and `superseded_by` (dag/task_history.h); they judge the model that the date's record names
// (day.h), draw the same rows unless something else is asked or set now (the plan says what), and deploy
// nothing when a newer date has its verdict, unless `deploy_older` says so.
#pragma once

#include <string>
#include <vector>

#include "dag/runner.h"
#include "loop/day_request.h"

namespace maeil::loop {

struct RedoOptions {
  // a task ("evaluate_model", "retrain_1.finetune_model", with or without "its_dag.") or a group
  // ("retrain_1"); "": the first
  std::string from;
  AskedDay asked;
  bool deploy_older = false;
};

struct RedoPlan {
  std::string from;  // "dag.task"
  // what was done and will be done again: DAG, task ids
  std::vector<std::pair<std::string, std::vector<std::string>>> tasks;
  DayRequest request;         // to be recorded
  std::optional<Days> newer;  // a newer date that has its verdict
  // why rows that are drawn again will be others, for people
  std::vector<std::string> notes;
};

// What a redo would do; changes nothing. kNotFound: the date was never run. kUsage: there is no such task, it
// was not done on that date, or rows and scenario are asked for while the rows are not drawn again.
Result<RedoPlan> plan_redo(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                           Days date, const RedoOptions& options);

// Records the request and takes the records back, in one step; running the date (run_day.h) then does them
// again. kConflict: a run holds the lock, or a task of the date is running elsewhere.
Status begin_redo(store::Store& store, const Settings& settings, const table::DatasetSpec& spec, Days date,
                  const RedoOptions& options, const dag::RunOptions& run);

}  // namespace maeil::loop
