// One task: what its tries record, what it may not answer, what is linked when it is done again, what it
// takes back of the tasks and parts beside it.
#include "dag/execute.h"

#include "dag/task_history.h"
#include "dag/test_day.h"

namespace maeil::dag {
namespace {

TEST(Task, WhatIsDoneAgainIsAddedAndLinkedAndNothingElseChanges) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  const auto generate = [&] {
    return must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  };
  std::vector<store::Document> before;
  for (int completions = 1; completions <= 3; ++completions) {
    EXPECT_EQ(generate().completions, completions);
    const auto after = must(store->find("work", {}));
    ASSERT_EQ(after.size(), 2u * completions);
    for (size_t i = 0; i < before.size(); ++i) {
      store::Document old = after[i];
      EXPECT_TRUE(old.contains("superseded_by"));
      if (!before[i].contains("superseded_by")) old.erase("superseded_by");
      EXPECT_EQ(old, before[i]);
    }
    for (size_t i = before.size(); i < after.size() && i >= 2; ++i) {
      EXPECT_EQ(after[i]["supersedes"], after[i - 2]["_id"]);
      EXPECT_EQ(after[i - 2]["superseded_by"], after[i]["_id"]);
    }
    before = after;
  }
  EXPECT_EQ(must(store->find(kTaskHistory, {})).size(), 2u);  // the two records that were taken back
}

TEST(Task, WhatAnOlderMaeilRecordedIsNotReplaced) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  const auto before = must(store->find("work", {}));
  store::Document record = must(store->find(kTaskInstances, {})).at(0);
  record.erase("completions");
  store::Batch batch;
  batch.puts.push_back({kTaskInstances, record});
  ASSERT_TRUE(store->commit(batch));
  must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  const auto after = must(store->find("work", {}));
  ASSERT_EQ(after.size(), 2 * before.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i]["name"], before[i]["name"]);
}

TEST(Task, ARetryableErrorIsTriedAgain) {
  Day day;
  day.break_task = "evaluation.evaluate";
  day.broken_tries = 2;
  auto dags = day_dags();
  dags[1].tasks[1].retries = 2;
  const auto store = day.open();
  int retried = 0;
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) { retried += event.kind == Event::Kind::kTaskRetried; };
  EXPECT_EQ(must(run_dags(*store, dags, day.table(), kDate, options)).state, TaskState::kSuccess);
  EXPECT_EQ(retried, 2);
  const auto record = must(read_record(*store, {kDate, "evaluation", "evaluate"})).value();
  EXPECT_EQ(record.try_number, 3);
  EXPECT_FALSE(record.error);
  const auto tries = must(logs(*store, "run", "evaluate"));
  ASSERT_EQ(tries.size(), 3u);
  EXPECT_EQ(tries[0]["lines"].back(), "error: the disk is full");
}

TEST(Task, AFailedOutcomeKeepsItsBatch) {
  Day day;
  const auto store = day.open();
  const TaskTable table = table_of([](TaskContext& context) -> Result<TaskOutcome> {
    TaskOutcome out;
    out.state = TaskState::kFailed;
    out.message = "the deployment failed";
    out.batch.puts.push_back(
        {"events",
         {{"_id", store::id_value(store::task_object_id(context.task_key(), "events", 0))},
          {"status", "failed"}}});
    return out;
  });
  const DagResult result = must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.error->message, "one.t: the deployment failed");
  EXPECT_EQ(must(store->find("events", {})).size(), 1u);
}

TEST(Task, WhatATaskMayNotDoFailsIt) {
  const std::pair<const char*, TaskFunction> cases[] = {
      {"an exception left the task: boom",
       [](TaskContext&) -> Result<TaskOutcome> { throw std::runtime_error("boom"); }},
      {"unknown kind", [](TaskContext&) -> Result<TaskOutcome> { throw 5; }},
      {"not enough memory", [](TaskContext&) -> Result<TaskOutcome> { throw std::bad_alloc(); }},
      {"state waiting",
       [](TaskContext&) {
         TaskOutcome out;
         out.state = TaskState::kWaiting;
         return out;
       }},
      {"no branch",
       [](TaskContext&) {
         TaskOutcome out;
         out.next = {"x"};
         return out;
       }},
      {"its _id is no",
       [](TaskContext&) {
         TaskOutcome out;
         out.batch.puts.push_back({"c", {{"x", 1}}});
         return out;
       }},
      {"not UTF-8",
       [](TaskContext&) {
         TaskOutcome out;
         out.result = {{"x", "\xff"}};
         return out;
       }},
  };
  for (const auto& [wanted, function] : cases) {
    Day day;
    const auto store = day.open();
    const DagResult result = must(run_dag(*store, one(task("t")), table_of(function), kDate, day.options()));
    EXPECT_EQ(result.state, TaskState::kFailed);
    ASSERT_TRUE(result.error) << wanted;
    EXPECT_NE(result.error->message.find(wanted), std::string::npos) << result.error->message;
    EXPECT_EQ(must(task_state(*store, kDate, "one", "t")), TaskState::kFailed);
  }
}

TEST(Task, HostileLogsAreCutAndCleaned) {
  Day day;
  const auto store = day.open();
  const TaskTable table = table_of([](TaskContext& context) {
    context.log(std::string(100000, 'x'));
    context.log("\xff\xfe not UTF-8");
    for (size_t i = 0; i < TaskLog::kFirstLines + TaskLog::kLastLines + 5; ++i) context.log("line");
    return TaskOutcome{};
  });
  RunOptions quiet = day.options();
  quiet.on_event = nullptr;
  EXPECT_EQ(must(run_dag(*store, one(task("t")), table, kDate, quiet)).state, TaskState::kSuccess);
  const auto log = must(logs(*store, "run", "t")).at(0);
  EXPECT_EQ(log["lines"].size(), TaskLog::kFirstLines + TaskLog::kLastLines + 1);
  EXPECT_EQ(log["lines"][0].get<std::string>().size(), TaskLog::kMaxLineBytes + 3);
  EXPECT_EQ(log["lines"][TaskLog::kFirstLines], "... 7 lines were not kept");
  EXPECT_EQ(log["lines"].back(), "line");
}

TEST(Task, ARecordKeepsWhatATaskSetOnIt) {
  Day day;
  const auto store = day.open();
  int calls = 0;
  const TaskTable table = table_of([&](TaskContext& context) -> Result<TaskOutcome> {
    if (++calls == 1) {
      store::Batch batch;
      batch.sets.push_back({kTaskInstances,
                            record_id({context.logical_date, context.dag_id, context.task_id}),
                            {{"version", "20261123_001500"}}});
      MAEIL_TRY(context.store.commit(batch));
      return bad_input("killed, say");
    }
    return TaskOutcome{};
  });
  must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  must(run_dag(*store, one(task("t")), table, kDate, day.options()));
  const auto record = must(store->find_one(kTaskInstances, {}));
  EXPECT_EQ(record["version"], "20261123_001500");
  EXPECT_EQ(record["state"], "success");
  EXPECT_TRUE(record["error"].is_null());
}

TEST(Task, SensorsAreAskedUntilTheyAnswerOrTimeIsUp) {
  Day day;
  day.waits = 3;
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
  EXPECT_EQ(std::ranges::count(day.calls(), "evaluation.wait_for_data"), 4);
  EXPECT_EQ(must(read_record(*store, {kDate, "evaluation", "wait_for_data"}))->try_number, 1);

  Day late;
  late.waits = 1'000'000;
  const auto late_store = late.open();
  RunOptions options = late.options();
  options.sensor_timeout = std::chrono::milliseconds{20};
  const DayResult result = must(run_dags(*late_store, day_dags(), late.table(), kDate, options));
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_NE(result.error->message.find("waiting for data"), std::string::npos) << result.error->message;
}

TEST(Task, ASensorAskedOnceIsOneTry) {
  Day day;
  day.waits = 2;
  const auto store = day.open();
  const DagSpec dag = day_dags()[1];
  for (const TaskState wanted : {TaskState::kWaiting, TaskState::kWaiting, TaskState::kSuccess}) {
    const TaskRecord record =
        must(execute_task(*store, dag, day.table(), kDate, "wait_for_data", day.options(), false));
    EXPECT_EQ(record.state, wanted);
    EXPECT_EQ(record.try_number, 1);
    EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "wait_for_data")), wanted);
  }
  EXPECT_EQ(execute_task(*store, dag, day.table(), kDate, "nonsense", day.options(), false).error().code,
            ErrorCode::kUsage);
}

// What a caller that tries again itself (Airflow) is told, try by try.
TEST(Task, AFailedTryIsUpForRetryUntilTheLast) {
  Day day;
  day.break_task = "evaluation.evaluate";
  const auto store = day.open();
  const DagSpec dag = day_dags()[1];
  RunOptions options = day.options();
  options.takes_over = true;  // as `maeil task`
  for (const auto& [left, wanted] :
       {std::pair{2, TaskState::kUpForRetry}, {1, TaskState::kUpForRetry}, {0, TaskState::kFailed}}) {
    options.retries_left = left;
    const TaskRecord record = must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false));
    EXPECT_EQ(record.state, wanted);
    EXPECT_EQ(record.try_number, 3 - left);
    EXPECT_EQ(record.error->message, "the disk is full");
    EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "evaluate")), wanted);
    EXPECT_FALSE(is_finished(TaskState::kUpForRetry));
  }
  day.broken = {ErrorCode::kBadInput, "no good"};  // trying again is useless, whatever the caller would do
  options.retries_left = 2;
  EXPECT_EQ(must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false)).state,
            TaskState::kFailed);
  day.break_task.clear();
  const TaskRecord record = must(execute_task(*store, dag, day.table(), kDate, "evaluate", options, false));
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_FALSE(record.error);
  EXPECT_EQ(record.try_number, 5);
}

TEST(Task, ATaskThatRunsAgainTakesBackWhatFollowsIt) {
  Day day;
  day.passes = 1;
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
  const auto wanted_work = work_done(*store);
  const DagSpec dag = day_dags()[1];
  const auto state = [&](const char* id) { return must(task_state(*store, kDate, "evaluation", id)); };
  day.inside = [&](const std::string& name) {
    if (name != "evaluation.retrain_1.tune") return;
    // While it runs, what it said before and what followed from that is gone; what came before it stays.
    EXPECT_EQ(state("retrain_1.tune"), TaskState::kRunning);
    for (const char* id : {"retrain_1.judge", "retrain_2.tune", "retrain_2.judge", "send", "alert"})
      EXPECT_EQ(state(id), TaskState::kNone) << id;
    for (const char* id : {"wait_for_data", "evaluate", "check"})
      EXPECT_EQ(state(id), TaskState::kSuccess) << id;
  };
  EXPECT_EQ(must(execute_task(*store, dag, day.table(), kDate, "retrain_1.tune", day.options(), false)).state,
            TaskState::kSuccess);
  const auto taken_back = must(read_record(*store, {kDate, "evaluation", "retrain_1.judge"})).value();
  EXPECT_TRUE(taken_back.next.empty());
  EXPECT_EQ(taken_back.message, "retrain_1.tune runs again");
  EXPECT_EQ(must(task_state(*store, kDate, "deployment", "deploy")), TaskState::kSuccess);  // another DAG's
  day.inside = nullptr;
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kSuccess);
  // Beside what was there: retrain_1.tune, what followed it, and nothing of what came before it.
  const auto work = work_done(*store);
  EXPECT_TRUE(std::ranges::includes(work, wanted_work));
  EXPECT_EQ(work.size(), wanted_work.size() + 2 * 3);
}

TEST(Task, AnotherCutTakesTheOldPartsBack) {
  Day day;
  const auto store = day.open();
  DagSpec dag = day_dags()[0];
  for (auto& task : dag.tasks) task.shardable = true;
  const auto run_part = [&](const char* task, int index, int count) {
    RunOptions options = day.options();
    options.shard = {index, count};
    EXPECT_TRUE(execute_task(*store, dag, day.table(), kDate, task, options, false));
  };
  const auto state = [&](const std::string& id) { return must(task_state(*store, kDate, "data", id)); };
  const std::string first = dag.tasks[0].id, second = dag.tasks[1].id;
  for (int i = 1; i <= 3; ++i) run_part(first.c_str(), i, 3);
  run_part(second.c_str(), 3, 3);
  EXPECT_EQ(state(second + "[3/3]"), TaskState::kSuccess);
  run_part(first.c_str(), 2, 3);  // again: the other parts of this cut stay, what follows goes
  EXPECT_EQ(state(first + "[1/3]"), TaskState::kSuccess);
  EXPECT_EQ(state(second + "[3/3]"), TaskState::kNone);
  run_part(first.c_str(), 0, 1);  // in one piece
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(state(fmt::format("{}[{}/3]", first, i)), TaskState::kNone) << i;
}

TEST(Task, AShardHasARecordAndALogOfItsOwn) {
  Day day;
  const auto store = day.open();
  DagSpec dag = day_dags()[0];
  RunOptions options = day.options();
  options.shard = {2, 3};
  // cannot be cut
  EXPECT_EQ(execute_task(*store, dag, day.table(), kDate, "generate", options, false).error().code,
            ErrorCode::kUsage);
  dag.tasks[0].shardable = true;
  options.shard = {};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  options.shard = {2, 3};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate[2/3]")), TaskState::kSuccess);
  // what it said was about other parts
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kNone);
  EXPECT_EQ(must(logs(*store, "run", "generate[2/3]")).size(), 1u);
  options.shard = {0, 3};
  must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kSuccess);
  EXPECT_EQ(must(task_state(*store, kDate, "data", "generate[2/3]")), TaskState::kSuccess);
}

}  // namespace
}  // namespace maeil::dag
