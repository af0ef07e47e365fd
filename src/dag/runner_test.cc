// The runner over a day of three small DAGs: resumed, killed at every point, cancelled, and kept from running
// twice at a time. What one task does is in execute_test.cc.
#include "dag/runner.h"

#include <thread>

#include "dag/test_day.h"

namespace maeil::dag {
namespace {

TEST(Runner, ADayWithTwoAttempts) {
  Day day;
  const auto store = day.open();
  std::string told;
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) {
    if (event.kind == Event::Kind::kTaskFinished)
      told += fmt::format("{}:{} ", event.task_id, to_string(event.state));
  };
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_EQ(result.state, TaskState::kSuccess);
  EXPECT_FALSE(result.already_finished);
  EXPECT_EQ(told,
            "generate:success prepare:success wait_for_data:success evaluate:success check:success "
            "retrain_1.tune:success retrain_1.judge:success "
            "retrain_2.tune:success retrain_2.judge:success send:success alert:skipped "
            "wait_for_evaluation:success deploy:success ");
  EXPECT_EQ(day.calls().size(), 12u);

  const auto record = must(read_record(*store, {kDate, "evaluation", "retrain_2.judge"})).value();
  EXPECT_EQ(record.attempt, 2);
  EXPECT_EQ(record.try_number, 1);
  EXPECT_EQ(record.next, std::vector<std::string>{"send"});
  EXPECT_EQ(record.message, "did evaluation.retrain_2.judge");
  EXPECT_EQ(record.result["attempt"], 2);
  EXPECT_TRUE(record.start && record.end && *record.start <= *record.end);
  const auto lines = must(logs(*store, "run", "check"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["lines"][0], "working on evaluation.check");
  EXPECT_EQ(must(logs(*store, "run")).size(), 12u);
  EXPECT_EQ(logs(*store, "other").error().code, ErrorCode::kNotFound);
  const auto all_runs = must(runs(*store));
  ASSERT_EQ(all_runs.size(), 3u);
  for (const auto& run : all_runs) {
    EXPECT_EQ(run["state"], "success");
    EXPECT_EQ(run["run_type"], "manual");
  }
  EXPECT_TRUE(must(is_finished(*store, day_dags(), kDate)));
  EXPECT_FALSE(must(is_finished(*store, day_dags(), kDate + std::chrono::days{1})));
}

TEST(Runner, AFinishedDayIsLeftAlone) {
  Day day;
  const auto store = day.open();
  day.run(*store, "first");
  const std::string before = must(store->find(kTaskInstances, {})).back().dump();
  const size_t calls = day.calls().size();
  const DayResult again = day.run(*store, "second");
  EXPECT_TRUE(again.already_finished);
  EXPECT_EQ(again.state, TaskState::kSuccess);
  EXPECT_EQ(day.calls().size(), calls);
  EXPECT_EQ(must(store->find(kTaskInstances, {})).back().dump(), before);
  EXPECT_EQ(must(runs(*store)).size(), 3u);

  RunOptions clear = day.options("third");
  clear.clear = true;
  const DayResult third = must(run_dags(*store, day_dags(), day.table(), kDate, clear));
  EXPECT_FALSE(third.already_finished);
  EXPECT_EQ(day.calls().size(), 2 * calls);
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->try_number, 2);
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->completions, 2);
  EXPECT_EQ(work_done(*store).size(), 48u);  // what the first run wrote stays beside what this one adds
}

// A date whose tasks somebody else ran: what their branches skipped has no record.
// A newer maeil puts tasks before and between those of a date that an older one has finished.
TEST(Runner, ATaskThatIsNewSinceTheDateWasRunDoesNotUndoIt) {
  Day day;
  const auto store = day.open();
  const DagSpec old{"data", "", {task("generate"), task("prepare", {"generate"})}};
  const DagSpec now{
      "data",
      "",
      {task("wait", {}, TaskKind::kSensor), task("generate", {"wait"}), task("validate", {"generate"}),
       task("prepare", {"validate"}), task("publish", {"prepare"})}};
  TaskTable table;
  std::vector<std::string> calls;
  for (const auto& spec : now.tasks) {
    table[{"data", spec.id}] = [&calls, id = spec.id](TaskContext&) -> Result<TaskOutcome> {
      calls.push_back(id);
      return TaskOutcome{};
    };
  }
  ASSERT_EQ(must(run_dag(*store, old, table, kDate, day.options())).state, TaskState::kSuccess);
  calls.clear();
  EXPECT_FALSE(must(is_finished(*store, {now}, kDate)));  // "publish" was never done
  ASSERT_EQ(must(run_dag(*store, now, table, kDate, day.options())).state, TaskState::kSuccess);
  EXPECT_EQ(calls, std::vector<std::string>{"publish"});
  EXPECT_TRUE(must(is_finished(*store, {now}, kDate)));
  // Done again on purpose, all of it is.
  RunOptions clear = day.options();
  clear.clear = true;
  calls.clear();
  ASSERT_EQ(must(run_dag(*store, now, table, kDate, clear)).state, TaskState::kSuccess);
  EXPECT_EQ(calls, (std::vector<std::string>{"wait", "generate", "validate", "prepare", "publish"}));
}

TEST(Runner, ADateThatOthersFinishedIsNotDoneAgain) {
  Day day;
  day.passes = 0;
  const auto store = day.open();
  for (const auto& dag : day_dags()) {
    for (const auto& spec : dag.tasks) {
      if (spec.id.starts_with("retrain_") || spec.id == "alert") continue;
      must(execute_task(*store, dag, day.table(), kDate, spec.id, day.options("scheduled"), false));
    }
  }
  const auto work = work_done(*store);
  const size_t calls = day.calls().size();
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kSuccess);
  EXPECT_EQ(day.calls().size(), calls);
  EXPECT_EQ(work_done(*store), work);
}

// A resumed day whose task fails again leaves what follows it as failed, not as never asked.
TEST(Runner, ATaskThatFailsAgainDecidesWhatFollowsAgain) {
  Day day;
  day.break_task = "evaluation.evaluate";
  day.broken = {ErrorCode::kBadInput, "no good"};
  const auto store = day.open();
  EXPECT_EQ(day.run(*store).state, TaskState::kFailed);
  const std::string once = states(*store);
  EXPECT_EQ(day.run(*store, "again").state, TaskState::kFailed);
  EXPECT_EQ(states(*store), once);
}

TEST(Runner, EveryWayThroughTheDay) {
  const char* deploy[] = {"success", "success", "success", "skipped"};
  for (int passes = 0; passes <= 3; ++passes) {
    Day day;
    day.passes = passes;
    const auto store = day.open();
    EXPECT_EQ(day.run(*store).state, TaskState::kSuccess);
    const std::string all = states(*store);
    EXPECT_NE(all.find(fmt::format("deployment.deploy:{}", deploy[passes])), std::string::npos)
        << passes << "\n"
        << all;
    EXPECT_NE(all.find(fmt::format("evaluation.alert:{}", passes == 3 ? "success" : "skipped")),
              std::string::npos)
        << passes << "\n"
        << all;
    EXPECT_TRUE(day.run(*store, "again").already_finished);
  }
}

TEST(Runner, KilledAnywhereItGoesOnWithoutDoingFinishedWorkTwice) {
  Day calm;
  const auto calm_store = calm.open();
  calm.run(*calm_store);
  const std::string wanted_states = states(*calm_store);
  const auto wanted_work = work_done(*calm_store);
  ASSERT_GT(calm.ticks, 60);
  for (int at = 1; at <= calm.ticks; ++at) {
    SCOPED_TRACE(fmt::format("killed at tick {}", at));
    Day day;
    {
      Child child([&] {
        day.kill_at = at;
        const auto store = day.open();
        return run_dags(*store, day_dags(), day.table(), kDate, day.options("killed")) ? 0 : 1;
      });
      ASSERT_EQ(child.wait(), -SIGKILL);
    }
    const auto store = day.open();
    ASSERT_TRUE(store->check());
    std::vector<std::string> finished;
    for (const auto& record : must(store->find(kTaskInstances, {}))) {
      const std::string state = record["state"].get<std::string>();
      if (state == "success")
        finished.push_back(
            fmt::format("{}.{}", record["dag_id"].get<std::string>(), record["task_id"].get<std::string>()));
    }
    EXPECT_EQ(work_done(*store).size(), 2 * finished.size());  // finished work is there, unfinished is not
    const size_t calls_before = day.calls().size();
    const DayResult result = day.run(*store, "resumed");
    EXPECT_EQ(result.state, TaskState::kSuccess);
    EXPECT_EQ(states(*store), wanted_states);
    EXPECT_EQ(work_done(*store), wanted_work);
    const auto calls = day.calls();
    for (size_t i = calls_before; i < calls.size(); ++i) {
      EXPECT_EQ(std::ranges::find(finished, calls[i]), finished.end()) << calls[i] << " was done twice";
    }
    for (const auto& run : must(runs(*store))) EXPECT_NE(run["state"], "running");
    if (HasFailure()) break;
  }
}

TEST(Runner, KilledAgainAndAgain) {
  Day calm;
  const auto calm_store = calm.open();
  calm.run(*calm_store);
  Day day;
  for (int round = 0;; ++round) {
    ASSERT_LT(round, 200);
    Child child([&] {
      day.kill_at = 11;
      const auto store = day.open();
      const auto result =
          run_dags(*store, day_dags(), day.table(), kDate, day.options(fmt::format("run {}", round)));
      return result && result->state == TaskState::kSuccess ? 0 : 1;
    });
    const int status = child.wait();
    if (status == 0) break;
    ASSERT_EQ(status, -SIGKILL);
  }
  const auto store = day.open();
  EXPECT_EQ(states(*store), states(*calm_store));
  EXPECT_EQ(work_done(*store), work_done(*calm_store));
}

TEST(Runner, AFailureStopsTheDayAndTheNextRunGoesOn) {
  for (const ErrorCode code :
       {ErrorCode::kIo, ErrorCode::kBadInput, ErrorCode::kUsage, ErrorCode::kNotFound}) {
    Day day;
    day.break_task = "evaluation.evaluate";
    day.broken = {code, "no good"};
    auto dags = day_dags();
    dags[1].tasks[1].retries = 2;
    const auto store = day.open();
    const DayResult result = must(run_dags(*store, dags, day.table(), kDate, day.options()));
    EXPECT_EQ(result.state, TaskState::kFailed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, code);
    EXPECT_EQ(result.error->message, "evaluation.evaluate: no good");
    EXPECT_EQ(must(read_record(*store, {kDate, "evaluation", "evaluate"}))->try_number,
              code == ErrorCode::kIo ? 3 : 1);
    const std::string all = states(*store);
    EXPECT_NE(all.find("evaluation.check:upstream_failed"), std::string::npos);
    EXPECT_NE(all.find("evaluation.send:upstream_failed"), std::string::npos);
    EXPECT_NE(all.find("deployment.deploy:none"), std::string::npos);
    EXPECT_FALSE(must(is_finished(*store, dags, kDate)));
    day.break_task.clear();
    const DayResult next = day.run(*store, "next");
    EXPECT_EQ(next.state, TaskState::kSuccess);
    EXPECT_EQ(std::ranges::count(day.calls(), "data.generate"), 1);
    EXPECT_EQ(states(*store).find("upstream_failed"), std::string::npos);
    int next_runs = 0;
    for (const auto& run : must(runs(*store))) {
      if (run["run_id"] != "next") continue;
      ++next_runs;
      EXPECT_EQ(run["state"], "success") << run.dump();
    }
    EXPECT_EQ(next_runs, 2);  // the data's DAG was finished
  }
}

TEST(Runner, ASignalStopsBetweenTasks) {
  Day day;
  std::atomic<bool> cancelled = false;
  day.inside = [&](const std::string& name) { cancelled = name == "evaluation.evaluate"; };
  const auto store = day.open();
  RunOptions options = day.options();
  options.cancelled = &cancelled;
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.error->code, ErrorCode::kCancelled);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "evaluate")), TaskState::kSuccess);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "check")), TaskState::kNone);
  EXPECT_EQ(must(runs(*store, 1))[0]["state"], "cancelled");
  cancelled = false;
  day.inside = nullptr;
  EXPECT_EQ(day.run(*store, "on").state, TaskState::kSuccess);
  EXPECT_EQ(std::ranges::count(day.calls(), "evaluation.evaluate"), 1);
  EXPECT_EQ(must(runs(*store, 1))[0]["run_type"], "manual");  // deployment had not begun before
}

TEST(Runner, ASignalEndsAWaitingSensor) {
  Day day;
  day.waits = 1'000'000;
  std::atomic<bool> cancelled = false;
  const auto store = day.open();
  RunOptions options = day.options();
  options.cancelled = &cancelled;
  options.poke_interval = std::chrono::hours{1};
  options.on_event = [&](const Event& event) { cancelled = event.kind == Event::Kind::kSensorWaiting; };
  const DayResult result = must(run_dags(*store, day_dags(), day.table(), kDate, options));
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(must(task_state(*store, kDate, "evaluation", "wait_for_data")), TaskState::kFailed);
}

TEST(Runner, ASecondRunIsToldWhoRuns) {
  Day day;
  Signpost inside;
  Child child([&] {
    day.inside = [&](const std::string&) {
      inside.raise();
      ::pause();
    };
    const auto store = day.open();
    RunOptions options = day.options();
    options.holder = "maeil run --date 2026-11-23";
    return run_dags(*store, day_dags(), day.table(), kDate, options) ? 0 : 1;
  });
  inside.await();
  const auto store = day.open();
  const auto second = run_dags(*store, day_dags(), day.table(), kDate, day.options("second"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("maeil run --date 2026-11-23"), std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find(std::to_string(child.pid())), std::string::npos);
  ASSERT_EQ(child.kill(), -SIGKILL);
  EXPECT_EQ(day.run(*store, "third").state, TaskState::kSuccess);
}

TEST(Runner, AMissingFunctionOrAWrongDagIsFoundBeforeAnythingRuns) {
  Day day;
  const auto store = day.open();
  TaskTable table = day.table();
  table.erase({"evaluation", "alert"});
  EXPECT_EQ(run_dag(*store, day_dags()[1], table, kDate, day.options()).error().code, ErrorCode::kInternal);
  EXPECT_TRUE(day.calls().empty());
  EXPECT_TRUE(must(runs(*store)).empty());
}

}  // namespace
}  // namespace maeil::dag
