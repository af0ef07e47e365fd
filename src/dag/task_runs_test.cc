// Runs of which only the tasks left records: which there are, and how they stand.
#include "dag/task_runs.h"

#include <gtest/gtest.h>

#include "dag/journal.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::dag {
namespace {

const Days kDate = parse_date("2026-11-23").value();
const Instant kStart = parse_instant("2026-11-23T00:00:00.000Z").value();

TaskSpec task(std::string id, std::vector<std::string> upstream = {}, TaskKind kind = TaskKind::kAction) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.upstream = std::move(upstream);
  spec.kind = kind;
  return spec;
}

// check chooses between send and retrain; retrain is followed by alert.
const std::vector<DagSpec> kDags = {{"evaluation", "", {task("evaluate"), task("check", {"evaluate"}, TaskKind::kBranch), task("retrain", {"check"}),
                                                        task("alert", {"retrain"}), task("send", {"check"})}}};

class TaskRuns : public testing::Test {
 protected:
  // A task that began `minute` minutes after midnight and took one.
  void record(const std::string& id, TaskState state, int minute, const std::string& run_id = "manual__2026", const std::function<void(TaskRecord&)>& change = {}) {
    const TaskName name{kDate, "evaluation", id};
    TaskRecord task;
    task.task_id = id;
    task.state = state;
    task.run_id = run_id;
    task.message = "said so";
    task.start = kStart + std::chrono::minutes(minute);
    if (is_finished(state)) task.end = *task.start + std::chrono::minutes(1);
    if (id == "check" && state == TaskState::kSuccess) task.next = {"send"};
    if (change) change(task);
    store::Batch batch;
    store::Document document = {{"_id", store::id_value(record_id(name))}};
    document.update(record_fields(name, task));
    batch.puts.push_back({kTaskInstances, std::move(document)});
    ASSERT_TRUE(store_->commit(batch));
  }
  std::vector<store::Document> runs() { return all_runs(*store_, kDags).value(); }
  std::string state() {
    const auto found = runs();
    return found.size() == 1 ? found[0].value("state", "") : std::to_string(found.size()) + " runs";
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
};

TEST_F(TaskRuns, OneIsOverWhenNothingThatTheBranchChoseIsLeft) {
  EXPECT_TRUE(runs().empty());
  record("evaluate", TaskState::kRunning, 0);
  EXPECT_EQ(state(), "running");
  record("evaluate", TaskState::kSuccess, 0);
  EXPECT_EQ(state(), "running");  // between two tasks
  record("check", TaskState::kSuccess, 5);
  EXPECT_EQ(state(), "running");
  record("send", TaskState::kUpForRetry, 6);
  EXPECT_EQ(state(), "running");
  record("send", TaskState::kSuccess, 7);
  const auto run = runs().at(0);
  EXPECT_EQ(run["state"], "success");
  EXPECT_EQ(run["run_type"], kTaskByTask);
  EXPECT_EQ(run["run_id"], "manual__2026");
  EXPECT_EQ(run["logical_date"], "2026-11-23");
  EXPECT_EQ(run["dag_id"], "evaluation");
  EXPECT_EQ(run["start_date"], store::date_value(kStart));
  EXPECT_EQ(run["duration"], 8 * 60.0);
}

TEST_F(TaskRuns, OneFailsWithItsTaskOrShardOrWhenTheProcessDied) {
  record("evaluate", TaskState::kSuccess, 0);
  record("evaluate[2/7]", TaskState::kFailed, 1);
  EXPECT_EQ(state(), "failed");
  EXPECT_EQ(runs()[0]["message"], "evaluate[2/7]: said so");
  record("evaluate[2/7]", TaskState::kRunning, 1, "manual__2026", [](TaskRecord& task) { task.alive_until = kStart; });
  EXPECT_EQ(state(), "failed");
  record("evaluate[2/7]", TaskState::kRunning, 1, "manual__2026", [](TaskRecord& task) { task.alive_until = now() + std::chrono::hours(1); });
  EXPECT_EQ(state(), "running");
}

TEST_F(TaskRuns, ATaskBelongsToTheRunThatRanItLastAndTheBuiltInRunnersAreNotRepeated) {
  record("evaluate", TaskState::kSuccess, 0, "first");
  record("check", TaskState::kNone, 1, "first");
  record("send", TaskState::kNone, 2, "taken back");
  ASSERT_EQ(runs().size(), 1u);
  record("check", TaskState::kSuccess, 10, "second");
  record("send", TaskState::kSuccess, 11, "second");
  auto found = runs();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["run_id"], "second");  // newest first
  EXPECT_EQ(found[1]["run_id"], "first");
  EXPECT_EQ(found[1]["state"], "success");  // the date's tasks are all there
  EXPECT_EQ(found[1]["duration"], 60.0);

  store::Batch batch;
  batch.puts.push_back({kDagRuns, {{"_id", store::id_value(store::new_object_id(now()))}, {"run_id", "second"}, {"run_type", "manual"}, {"start_date", store::date_value(kStart + std::chrono::hours(1))}}});
  ASSERT_TRUE(store_->commit(batch));
  found = runs();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["run_type"], "manual");
  EXPECT_EQ(found[1]["run_id"], "first");
}

}  // namespace
}  // namespace maeil::dag
