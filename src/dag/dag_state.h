// How a DAG of one date stands, by the records of its tasks: pure functions.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "dag/dag.h"
#include "dag/task_record.h"

namespace maeil::dag {

// Adds a record of success for a task that has none although one that follows it has succeeded: the date was
// run by a maeil that had no such task, or task by task without it. What it was for is done, and running it
// now would undo what follows. Not for branches, nor behind one. And one of skipped for a task by_setting
// that nothing announced, and what follows it.
void count_as_done(const DagSpec& dag, std::map<std::string, TaskRecord>& records);

// The state of a DAG that a run has been through: success, or failed. Airflow asks only the tasks that
// nothing follows; here any failed task counts, as a later run would do it again, and so does one without a
// record.
TaskState final_state(const DagSpec& dag, const std::map<std::string, TaskRecord>& records);

// State of one DAG and date that may be under way: failed when a task has failed for good (the message says
// which), running while one is still to come, else success. What a branch did not choose needs no record to
// be over. `dag` null: a DAG that is not known any more. `at`: the store's time, for who still lives.
std::pair<TaskState, std::string> state_of_date(const DagSpec* dag,
                                                const std::map<std::string, TaskRecord>& records, Instant at);

}  // namespace maeil::dag
