// What the tasks of a day share: the settings of the run, and the small habits every task has (ids, stamps,
// results).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/settings.h"
#include "dag/dag.h"
#include "registry/versions.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// Values and references of one run; outlives its tasks. Nothing in it changes.
struct Day {
  const Settings& settings;
  const table::DatasetSpec& spec;
  std::string scenario = "calm";  // of the built-in portfolio, or a .toml file (scenario.h)
  int64_t rows = 10000;
  std::string file;  // that the date's rows are taken from; "": DAY_DATA, else they are drawn (day_file.h)
  bool deploy_older = false;  // deploy what is approved even though a newer date has its verdict
};

// Every task function of a day's DAGs, and of the first day's (first_day.h).
dag::TaskTable make_tasks(const Day& day);

// Adds what every document of a task carries: _id (the same when a try is repeated, another when a finished
// task is done again), timestamp, run_id, logical_date, task_key.
store::Document stamped(const dag::TaskContext& context, std::string_view collection,
                        store::Document document, int n = 0);

// A task that ends with a state and a sentence, and makes nothing.
dag::TaskOutcome outcome(dag::TaskState state, std::string message);

// The model that this task judges or prepares for: the one in force, and when the task was finished for this
// date before, the one that its record names, so that a date that is done again judges the same model.
// nullopt: there is none.
Result<std::optional<registry::ModelVersion>> model_of_the_date(const dag::TaskContext& context);

// `dag`, here and below: as pipelines.h names it, whatever the dataset.

// The `result` that an earlier task of the same date recorded. kNotFound when it has not succeeded.
Result<store::Document> result_of(const dag::TaskContext& context, std::string_view dag,
                                  std::string_view task);

// "task_id: its error" of the first task of `dag` that failed today for good, in the order of the ids;
// nullopt when none has.
Result<std::optional<std::string>> failure_of(const dag::TaskContext& context, std::string_view dag);

// What a sensor answers when it finds a failure. On its first question that may be yesterday's news: people
// who clear the runs of a day together start the sensors beside the tasks that they wait for. So it is asked
// once more before it gives up.
dag::TaskState state_after_failure(const dag::TaskContext& context);

// The task's state today; kNone when it never ran.
Result<dag::TaskState> state_of(const dag::TaskContext& context, std::string_view dag, std::string_view task);

}  // namespace maeil::loop
