// The runs of dag_runs as people list them: also those that somebody else drives task by task (`maeil task`:
// Airflow, a script).
//
// Such a run gets its document, run_type "task", when its first task begins, and its end when no task of its
// DAG and date is still to come. A document says "running" until somebody wrote an end; whoever lists it asks
// whether that is true: the tasks' records say it of a run made of tasks, the runner's lock of a run of the
// built-in runner. Listing writes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dag/dag.h"
#include "dag/journal.h"
#include "store/store.h"

namespace maeil::dag {

inline constexpr const char* kTaskByTask = "task";  // the run_type of such a run

struct RunQuery {
  std::string state = {};                  // running, success, failed, cancelled; empty: any
  std::optional<Days> from = {}, to = {};  // logical dates, both inclusive
  int64_t limit = 0;                       // 0: all
};

struct RunList {
  // Newest start first (with `from` or `to`: newest logical date first), each with the state that is true
  // now.
  std::vector<store::Document> runs;
  bool more = false;  // the limit has cut
};

// By the indexes of dag_runs on start_date or (logical_date, start_date), with the state before them where
// one is asked for; besides the runs that are listed only what still says running is looked at. Of a store
// that no maeil with this file has written (list_old_task_runs) all records are read.
Result<RunList> list_runs(store::Store& store, const std::vector<DagSpec>& dags, const RunQuery& query);

// Whether a run that is named by its id, or by its logical date, may still say something.
Result<bool> is_going_on(store::Store& store, const std::vector<DagSpec>& dags, const std::string& field,
                         const std::string& value);

// State of one DAG and date by its records: failed when a task has failed for good (the message says which),
// running while one is still to come, else success. What a branch did not choose needs no record to be over.
// `dag` null: a DAG that is not known any more. `at`: the store's time, for who still lives.
std::pair<TaskState, std::string> state_of_date(const DagSpec* dag,
                                                const std::map<std::string, TaskRecord>& records, Instant at);

// Before a task of `run_id` begins: there is a document of the run, and it says running. One of the built-in
// runner stays as it is.
Status note_task_begins(store::Store& store, const std::string& dag_id, Days logical_date,
                        const std::string& run_id, const store::Document& program);
// After a task has ended: every run of that DAG and date made of tasks has its end when the date's tasks are
// over.
// `run_id`: whose task it was.
Status note_task_ended(store::Store& store, const DagSpec& dag, Days logical_date, const std::string& run_id);

// Once in a store's life, before anything runs: documents for the runs made of tasks that an older maeil left
// no document of. That it is done is a document of `migrations`. May be killed and repeated, and done by two
// at a time.
Status list_old_task_runs(store::Store& store, const std::vector<DagSpec>& dags);

}  // namespace maeil::dag
