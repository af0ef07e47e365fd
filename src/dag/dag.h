// DAGs as data: tasks, their upstreams and their kinds. Nothing here knows what a task does.
//
// The built-in runner and Airflow run the same description (`maeil dag export`). Task states and trigger
// rules have Airflow's names and meaning.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/store.h"

namespace maeil::dag {

enum class TaskKind {
  kAction,
  kBranch,  // its outcome's `next` names the downstream tasks that run; the others are skipped
  kSensor,  // may answer kWaiting: ask again after SENSOR_POKE_INTERVAL, at most SENSOR_TIMEOUT
};

enum class TriggerRule { kAllSuccess, kNoneFailedMinOneSuccess };

// kUpForRetry: a try failed and another follows. It is not finished, so nobody who waits for the task gives
// up.
enum class TaskState { kNone, kRunning, kWaiting, kSuccess, kSkipped, kFailed, kUpstreamFailed, kUpForRetry };
std::string_view to_string(TaskState state);       // "success", "upstream_failed", ...
TaskState task_state_from(std::string_view text);  // kNone when unknown
bool is_finished(TaskState state);

struct TaskSpec {
  std::string id;  // "generate_data", "retrain_1.finetune_model"
  TaskKind kind = TaskKind::kAction;
  std::vector<std::string> upstream;  // ids in the same DAG
  TriggerRule trigger_rule = TriggerRule::kAllSuccess;
  int attempt = 0;  // of a retraining group: 1, 2, ...; else 0
  int retries = 0;  // technical tries beyond the first, for exit code 1 only
  // A setting adds it: a date is over without it where the task before it succeeded and did not announce it,
  // in field `announces` of its result, a list of ids (dag_state.h).
  bool by_setting = false;
  bool shardable = false;  // its work may be cut into shards (SHARDS, `maeil task --shard`)
  // collections that a success has written: what others may wait for (Airflow's assets)
  std::vector<std::string> produces;
  std::string description;
};

struct DagSpec {
  std::string id;
  std::string description;
  std::vector<TaskSpec> tasks;  // in an order where upstreams come first
};

const TaskSpec* find_task(const DagSpec& dag, std::string_view task);  // null: there is none

// The ids of the tasks that have this one among their upstreams.
std::vector<std::string> downstream_of(const DagSpec& dag, std::string_view task);

// The ids of the tasks that follow any of `tasks`, however far, in the DAG's order; not these themselves.
std::vector<std::string> followers_of(const DagSpec& dag, const std::vector<std::string>& tasks);

// Wrong ids, unknown upstreams, cycles, a branch without downstream: kInternal, naming the task.
Status check_dag(const DagSpec& dag);

// Which part of a shardable task's work is done: all of it (0 of 1), shard `index` of `count` (1 .. count),
// or putting the parts of `count` shards together and finishing the task (0 of count).
struct Shard {
  int index = 0, count = 1;
  bool is_part() const { return index > 0; }
  bool merges() const { return index == 0 && count > 1; }
  std::string suffix() const;  // "[2/7]" of a part, else ""
};

// Which task of which date: what its record's id and its key are made of. docs/names.md draws these names.
struct TaskName {
  Days logical_date;
  std::string dag_id, task_id;  // of a part with its shard's suffix
  // `completions`: how often it was finished before. Without them it is the same however often it is done.
  std::string key(int completions = 0) const {
    return store::make_task_key(logical_date, dag_id, task_id, completions);
  }
};

struct TaskContext {
  store::Store& store;
  Days logical_date;
  std::string run_id;
  std::string dag_id;
  std::string task_id;
  int attempt = 0;  // TaskSpec::attempt
  int try_number = 1;
  Shard shard;
  TaskName name() const { return name_of(shard); }
  TaskName name_of(const Shard& part) const { return {logical_date, dag_id, task_id + part.suffix()}; }
  // field `task_key` of what the task writes, and what the ids of that are made of
  std::string task_key() const { return name().key(completions); }
  // One line for the task's log (kept in the store, shown by `maeil logs`, and on the terminal).
  std::function<void(std::string_view line)> log;
  // Long work reports here; total 0: unknown. Throttled by the receiver.
  std::function<void(std::string_view what, uint64_t done, uint64_t total)> progress;
  bool asked_before = true;  // of a sensor: not the first time in this try
  // For a batch that a task commits itself, before it is finished: it counts only while this try does.
  std::function<void(store::Batch&)> fence;
  // How often the task was finished for this date before. What was recorded then stays: what a task writes
  // under ids made from task_key() is added to it, and linked by `supersedes` and `superseded_by`
  // (task_history.h).
  int completions = 0;
  // of the last time it was finished; empty when it never was
  store::Document earlier_result = store::Document::object();
};

// What a task hands back. The runner commits `batch` and the task's record in one atomic step, then it is
// done.
struct TaskOutcome {
  TaskState state = TaskState::kSuccess;  // kSuccess, kSkipped, kFailed (with its batch), kWaiting
  std::vector<std::string> next;          // kBranch: the chosen downstream ids
  std::string message;                    // one line for people
  store::Document result = store::Document::object();  // small facts for the summary and later tasks
  store::Batch batch;
  std::optional<Error>
      error;  // of kFailed: what it ends with, and the exit code; none: it may be tried again
  // what the task holds until its batch is committed; usually nothing
  std::shared_ptr<store::Lock> lock;
};

using TaskFunction = std::function<Result<TaskOutcome>(TaskContext&)>;
// (dag id, task id without its group's "retrain_<k>." prefix) -> function.
using TaskTable = std::map<std::pair<std::string, std::string>, TaskFunction>;

}  // namespace maeil::dag
