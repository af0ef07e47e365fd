// Runs of which only the tasks left records: which there are, and how they stand.
#include "dag/task_runs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "dag/dag_run.h"
#include "dag/dag_state.h"
#include "dag/old_task_runs.h"
#include "dag/run_list.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::dag {
namespace {

const Days kDate = parse_date("2026-11-23").value();
const Instant kStart = parse_instant("2026-11-23T00:00:00.000Z").value();

TaskSpec spec_of(std::string id, std::vector<std::string> upstream = {}, TaskKind kind = TaskKind::kAction) {
  TaskSpec spec;
  spec.id = std::move(id);
  spec.upstream = std::move(upstream);
  spec.kind = kind;
  return spec;
}

// check chooses between send and retrain; retrain is followed by alert.
const std::vector<DagSpec> kDags = {
    {"evaluation",
     "",
     {spec_of("evaluate"), spec_of("check", {"evaluate"}, TaskKind::kBranch), spec_of("retrain", {"check"}),
      spec_of("alert", {"retrain"}), spec_of("send", {"check"})}}};

class TaskRuns : public testing::Test {
 protected:
  // A task that began `minute` minutes after midnight and took one.
  void record(const std::string& id, TaskState state, int minute, const std::string& run_id = "manual__2026",
              const std::function<void(TaskRecord&)>& change = {}) {
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
  std::vector<store::Document> runs(const RunQuery& query = {}) {
    return list_runs(*store_, kDags, query).value().runs;
  }
  std::vector<std::string> ids(const RunQuery& query = {}) {
    std::vector<std::string> out;
    for (const auto& run : runs(query)) out.push_back(run["run_id"]);
    return out;
  }
  // A run of the built-in runner that began so many minutes after midnight.
  void built_in(const std::string& run_id, const std::string& state, int minute, Days date = kDate,
                const store::Document& more = store::Document::object()) {
    store::Batch batch;
    store::Document run = {{"_id", store::id_value(store::task_object_id(
                                       store::make_task_key(date, "evaluation", run_id), kDagRuns, 0))},
                           {"logical_date", format_date(date)},
                           {"dag_id", "evaluation"},
                           {"run_id", run_id},
                           {"run_type", "manual"},
                           {"state", state},
                           {"start_date", store::date_value(kStart + std::chrono::minutes(minute))},
                           {"message", ""}};
    run.update(more);
    batch.puts.push_back({kDagRuns, std::move(run)});
    ASSERT_TRUE(store_->commit(batch));
  }
  store::Document stored(const std::string& run_id) {
    store::FindOptions find;
    find.filter = {{"run_id", run_id}};
    return store_->find_one(kDagRuns, find).value();
  }
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
  record("evaluate[2/7]", TaskState::kRunning, 1, "manual__2026",
         [](TaskRecord& task) { task.alive_until = kStart; });
  EXPECT_EQ(state(), "failed");
  record("evaluate[2/7]", TaskState::kRunning, 1, "manual__2026",
         [](TaskRecord& task) { task.alive_until = now() + std::chrono::hours(1); });
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

  built_in("second", "success", 60);
  found = runs();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["run_type"], "manual");
  EXPECT_EQ(found[1]["run_id"], "first");
}

TEST_F(TaskRuns, OneHasItsDocumentFromItsFirstTaskOnAndItsEndWithTheLast) {
  ASSERT_TRUE(list_old_task_runs(*store_, kDags));
  ASSERT_TRUE(note_task_begins(*store_, "evaluation", kDate, "airflow", {{"maeil", "1"}}));
  EXPECT_EQ(stored("airflow")["state"], "running");
  EXPECT_EQ(stored("airflow")["program"]["maeil"], "1");
  const store::Document start = stored("airflow")["start_date"];
  record("evaluate", TaskState::kSuccess, 0, "airflow");
  ASSERT_TRUE(note_task_ended(*store_, kDags[0], kDate, "airflow"));
  EXPECT_EQ(stored("airflow")["state"], "running");  // there is more to come
  record("check", TaskState::kFailed, 1, "airflow");
  ASSERT_TRUE(note_task_ended(*store_, kDags[0], kDate, "airflow"));
  EXPECT_EQ(stored("airflow")["state"], "failed");
  EXPECT_EQ(stored("airflow")["message"], "check: said so");
  ASSERT_TRUE(
      note_task_begins(*store_, "evaluation", kDate, "airflow", nullptr));  // somebody clears the task
  EXPECT_EQ(stored("airflow")["state"], "running");
  EXPECT_EQ(stored("airflow")["message"], "");
  EXPECT_EQ(stored("airflow")["start_date"], start);
  record("check", TaskState::kSuccess, 2, "airflow");
  record("send", TaskState::kSuccess, 3, "airflow");
  EXPECT_EQ(runs()[0]["state"], "success");  // killed before it could say so
  EXPECT_EQ(ids({.state = "success"}), std::vector<std::string>{"airflow"});
  EXPECT_TRUE(ids({.state = "running"}).empty());
  ASSERT_TRUE(note_task_ended(*store_, kDags[0], kDate, "airflow"));
  EXPECT_EQ(stored("airflow")["state"], "success");
  EXPECT_EQ(stored("airflow")["end_date"], store::date_value(kStart + std::chrono::minutes(4)));
  built_in("by the runner", "success", 9);
  ASSERT_TRUE(note_task_begins(*store_, "evaluation", kDate, "by the runner",
                               nullptr));  // a run id that is another's
  EXPECT_EQ(stored("by the runner")["state"], "success");
}

TEST_F(TaskRuns, OneOfWhichNoTaskBeganIsDeadSoon) {
  ASSERT_TRUE(note_task_begins(*store_, "evaluation", kDate, "airflow", nullptr));
  EXPECT_EQ(state(), "running");
  store::Batch batch;
  batch.sets.push_back({kDagRuns,
                        store::id_text(stored("airflow")["_id"]),
                        {{"start_date", store::date_value(now() - std::chrono::minutes(2))}}});
  ASSERT_TRUE(store_->commit(batch));
  EXPECT_EQ(state(), "failed");
}

TEST_F(TaskRuns, AreFoundByStateDateAndLimitNewestFirst) {
  ASSERT_TRUE(list_old_task_runs(*store_, kDags));
  for (int day = 0; day < 5; ++day)
    built_in("day " + std::to_string(day), day == 3 ? "failed" : "success", day * 1440,
             kDate + std::chrono::days(day));
  EXPECT_EQ(ids({.limit = 2}), (std::vector<std::string>{"day 4", "day 3"}));
  EXPECT_TRUE(list_runs(*store_, kDags, {.limit = 2}).value().more);
  EXPECT_FALSE(list_runs(*store_, kDags, {.limit = 5}).value().more);
  EXPECT_EQ(ids({.state = "failed"}), std::vector<std::string>{"day 3"});
  EXPECT_EQ(ids({.from = kDate + std::chrono::days(1), .to = kDate + std::chrono::days(2)}),
            (std::vector<std::string>{"day 2", "day 1"}));
  EXPECT_EQ(ids({.state = "success", .to = kDate + std::chrono::days(3), .limit = 1}),
            std::vector<std::string>{"day 2"});
  // A date made again later: of dates that are asked for the newest comes first.
  built_in("day 1 again", "success", 9 * 1440, kDate + std::chrono::days(1));
  EXPECT_EQ(ids()[0], "day 1 again");
  EXPECT_EQ(ids({.from = kDate + std::chrono::days(1)}),
            (std::vector<std::string>{"day 4", "day 3", "day 2", "day 1 again", "day 1"}));
}

TEST_F(TaskRuns, OneThatLookedOverTooSoonIsWhatItsLastTaskSays) {
  ASSERT_TRUE(list_old_task_runs(*store_, kDags));
  ASSERT_TRUE(note_task_begins(*store_, "evaluation", kDate, "airflow", nullptr));
  record("evaluate", TaskState::kSuccess, 0, "airflow");
  record("check", TaskState::kSuccess, 1, "airflow");
  record("send", TaskState::kSuccess, 3, "airflow");
  // before `send` began once more
  ASSERT_TRUE(note_task_ended(*store_, kDags[0], kDate, "another worker's"));
  EXPECT_EQ(stored("airflow")["state"], "success");
  record("send", TaskState::kFailed, 5, "airflow");
  ASSERT_TRUE(note_task_ended(*store_, kDags[0], kDate, "airflow"));
  EXPECT_EQ(stored("airflow")["state"], "failed");
}

TEST_F(TaskRuns, OneOfTheRunnerRunsOnlyWhileItsProcessHoldsTheLock) {
  const store::Document mine = {{"hostname", host_name()}, {"pid", ::getpid()}};
  built_in("mine", "running", 0, kDate, mine);
  built_in("a neighbour's", "running", 1, kDate, {{"hostname", host_name()}, {"pid", ::getppid()}});
  built_in("an older maeil's", "running", 2, kDate);
  EXPECT_EQ(ids({.state = "failed"}).size(), 3u);
  EXPECT_EQ(runs()[2]["message"], "its process died");
  {
    const auto lock = store_->lock("runner", "maeil run").value();
    EXPECT_EQ(ids({.state = "running"}), (std::vector<std::string>{"an older maeil's", "mine"}));
    EXPECT_EQ(ids({.state = "failed"}), std::vector<std::string>{"a neighbour's"});
  }
  EXPECT_EQ(ids({.state = "failed"}).size(), 3u);
  EXPECT_EQ(stored("mine")["state"], "running");  // listing wrote nothing
  record("evaluate", TaskState::kSuccess, 0);
  record("check", TaskState::kSuccess, 1);
  record("send", TaskState::kSuccess, 2);
  EXPECT_EQ(ids({.state = "success"}).size(), 4u);  // it died after the last task
}

TEST_F(TaskRuns, OfAnOlderMaeilGetTheirDocumentsOnce) {
  record("evaluate", TaskState::kSuccess, 0, "old");
  record("check", TaskState::kSuccess, 5, "old");
  record("send", TaskState::kSuccess, 7, "old");
  built_in("built in", "success", 20);
  auto before = runs();
  ASSERT_EQ(before.size(), 2u);
  ASSERT_TRUE(list_old_task_runs(*store_, kDags));
  EXPECT_EQ(stored("old")["state"], "success");
  EXPECT_EQ(stored("old")["duration"], 8 * 60.0);
  auto after = runs();
  for (auto* listed : {&before, &after}) (*listed)[1].erase("timestamp");
  EXPECT_EQ(after, before);
  record("evaluate", TaskState::kSuccess, 30, "not announced");  // the records are read no more
  EXPECT_EQ(ids(), (std::vector<std::string>{"built in", "old"}));
  const store::Document was = stored("old");
  ASSERT_TRUE(list_old_task_runs(*store_, kDags));
  EXPECT_EQ(stored("old"), was);
}

}  // namespace
}  // namespace maeil::dag
