// The record of a task and date in task_instances: its present state, and what it answered when it was last
// finished.
//
// task_instances  _id from (logical date, DAG, task): the present state, which a rerun overwrites (what it
//                 said before a task is done again is kept in task_history, task_history.h): logical_date,
//                 dag_id, task_id, attempt, try_number, completions, state, start_date, end_date,
//                 duration (s), message, error {code, message}, next, result, skipped_by, run_id, hostname,
//                 pid, timestamp; while it runs by itself (`maeil task`), or its caller will try
//                 again, retries_left and alive_until, else 0 and null
// Fields of a record that are not named here (what a task set on its own record) stay through reruns.
// docs/names.md has run_id, try_id, try_number, attempt and task_key in one picture.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/dag.h"
#include "store/store.h"

namespace maeil::dag {

inline constexpr const char* kTaskInstances = "task_instances";

struct TaskRecord {
  std::string task_id;
  TaskState state = TaskState::kNone;
  int attempt = 0;
  int try_number = 0;   // of all tries of this date, over all runs
  int completions = 0;  // how often it was finished: success, or skipped by itself
  std::string run_id;
  // of the try that is under way or was last: the next one has another, and this one's commit is refused
  std::string try_id;
  std::optional<Instant> start, end;
  // of a task that runs or is up for retry: tries that its caller will still make
  int retries_left = 0;
  // by the store's clock; of a running task that says so itself, again and again: after this it is dead; of
  // one that its caller will try again: until when that is expected
  std::optional<Instant> alive_until;
  std::string message;
  std::optional<Error> error;
  std::vector<std::string> next;
  // the runner skipped it, because of that upstream; empty: it skipped itself
  std::string skipped_by;
  // counts in state success; else that of the last time it was finished
  store::Document result = store::Document::object();
};

std::string record_id(const TaskName& name);

// Whether the record says running but its process is dead at the store's time `at` and nobody will try again.
// A task of the built-in runner never is: the runner's lock says who is alive.
bool is_dead(const TaskRecord& record, Instant at);

// The fields of a record as a document (for a put, with `_id`) or for a set (without).
store::Document record_fields(const TaskName& name, const TaskRecord& record);
TaskRecord record_from(const store::Document& document);

// nullopt when it never ran.
Result<std::optional<TaskRecord>> read_record(store::Store& store, const TaskName& name);

// All records of one DAG and date, by task id.
Result<std::map<std::string, TaskRecord>> read_records(store::Store& store, Days logical_date,
                                                       std::string_view dag_id);

// kNone when it never ran.
Result<TaskState> task_state(store::Store& store, Days logical_date, std::string_view dag_id,
                             std::string_view task_id);

// The first logical date of which any task has a record.
Result<std::optional<Days>> first_date(store::Store& store);

std::string host_name();

// Text made valid UTF-8, at most `max_bytes` long.
std::string clean_text(std::string_view text, size_t max_bytes);

std::string_view to_string(ErrorCode code);        // "bad_input", ...
ErrorCode error_code_from(std::string_view text);  // kInternal when unknown

}  // namespace maeil::dag
