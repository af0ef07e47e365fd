// For tests of dag/: a day of one DAG, first -> second, whose functions count their calls. Only for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "dag/dag_run.h"
#include "dag/runner.h"
#include "dag/task_log.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::dag {

// The documents of dag_runs, newest first; 0: all.
inline Result<std::vector<store::Document>> runs(store::Store& store, int64_t limit = 0) {
  store::FindOptions options;
  options.sort = {{"start_date", -1}};
  options.limit = limit;
  return store.find(kDagRuns, options);
}

// The joined logs of a run, of one task when `task_id` is given; kNotFound when there are none.
inline Result<std::vector<store::Document>> logs(store::Store& store, std::string_view run_id,
                                                 std::string_view task_id = "") {
  store::FindOptions options;
  options.filter = {{"run_id", run_id}};
  if (!task_id.empty()) options.filter["task_id"] = task_id;
  options.sort = {{"timestamp", 1}};
  MAEIL_ASSIGN(auto found, store.find(kTaskLogs, options));
  if (found.empty()) return not_found("nothing was logged");
  return join_parts(std::move(found));
}

struct SmallDay {
  const Days date = parse_date("2026-11-23").value();
  store::TempFolder folder;
  std::unique_ptr<store::Store> file = must(store::open_sqlite(folder / "maeil.db"));
  std::map<std::string, int> calls;
  std::function<Status(TaskContext&)> inside = [](TaskContext&) { return Status(); };

  DagSpec dag() const {
    TaskSpec first, second;
    first.id = "first";
    second.id = "second";
    second.upstream = {"first"};
    return {"small", "", {first, second}};
  }
  TaskTable table() {
    TaskTable out;
    for (const char* id : {"first", "second"}) {
      out[{"small", id}] = [this](TaskContext& context) -> Result<TaskOutcome> {
        ++calls[context.task_id];
        MAEIL_TRY(inside(context));
        TaskOutcome done;
        done.message = "did it";
        return done;
      };
    }
    return out;
  }
  RunOptions options(std::string run_id = "run") const {
    RunOptions out;
    out.run_id = std::move(run_id);
    out.retry_delay = std::chrono::milliseconds{1};
    return out;
  }
  TaskName name(std::string task = "first") const { return {date, "small", std::move(task)}; }
  TaskRecord record(std::string task = "first") {
    return must(read_record(*file, name(std::move(task)))).value();
  }
  // What another process left or is doing.
  void put(const TaskRecord& record) {
    store::Batch batch;
    store::Document document = {{"_id", store::id_value(record_id(name(record.task_id)))}};
    document.update(record_fields(name(record.task_id), record));
    batch.puts.push_back({kTaskInstances, document});
    ASSERT_TRUE(file->commit(batch));
  }
  TaskRecord of_airflow(TaskState state, std::optional<Instant> alive_until, int retries_left = 0) const {
    TaskRecord out;
    out.task_id = "first";
    out.state = state;
    out.try_number = 1;
    out.run_id = "scheduled__2026";
    out.try_id = store::new_object_id(now());
    out.start = now();
    out.retries_left = retries_left;
    out.alive_until = alive_until;
    return out;
  }
};

}  // namespace maeil::dag
