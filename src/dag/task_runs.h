// The runs that somebody else drove task by task (`maeil task`: Airflow, a script), seen from the records of their tasks.
#pragma once

#include <vector>

#include "dag/dag.h"
#include "store/store.h"

namespace maeil::dag {

inline constexpr const char* kTaskByTask = "task";  // the run_type of such a run: dag_runs has no document of it

// All runs, newest first: those of dag_runs, and for each other run id in task_instances a document with the same fields for each DAG
// and date that it touched. Its state is that of the date's tasks, whichever run they belong to (a task that runs again belongs to its
// last run): failed when one has failed for good, running while one of `dags` is still to come, else success. What a branch
// did not choose needs no record to be over.
Result<std::vector<store::Document>> all_runs(store::Store& store, const std::vector<DagSpec>& dags);

}  // namespace maeil::dag
