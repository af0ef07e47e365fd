// The runs that somebody else drives task by task (`maeil task`: Airflow, a script), run_type "task", in
// dag_runs.
//
// Such a run gets its document when its first task begins, and its end when no task of its DAG and date is
// still to come.
#pragma once

#include <string>

#include "dag/dag.h"

namespace maeil::dag {

// Before a task of `run_id` begins: there is a document of the run, and it says running. One of the built-in
// runner stays as it is.
Status note_task_begins(store::Store& store, const std::string& dag_id, Days logical_date,
                        const std::string& run_id, const store::Document& program);
// After a task has ended: every run of that DAG and date made of tasks has its end when the date's tasks are
// over. `run_id`: whose task it was.
Status note_task_ended(store::Store& store, const DagSpec& dag, Days logical_date, const std::string& run_id);

}  // namespace maeil::dag
