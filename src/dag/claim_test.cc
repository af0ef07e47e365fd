// What another process is executing is left to it: by the store's clock, until it is dead; and whose clock is
// asked.
#include "dag/claim.h"

#include <atomic>
#include <thread>

#include "dag/test_support.h"
#include "store/test_stores.h"

namespace maeil::dag {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Claim, TheRunnerLeavesALivingWorkersTaskAlone) {
  SmallDay day;
  TaskRecord other = day.of_airflow(TaskState::kRunning, now() + hours(1));
  day.put(other);
  std::atomic<bool> renewed = false;
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) {
    if (event.kind != Event::Kind::kSensorWaiting || renewed.exchange(true)) return;
    EXPECT_NE(event.text.find("scheduled__2026"), std::string::npos) << event.text;
    other.alive_until = now() + hours(2);  // the worker's next sign of life
    day.put(other);
  };
  const DayResult result = must(run_dags(*day.file, {day.dag()}, day.table(), day.date, options));
  EXPECT_TRUE(renewed);
  EXPECT_EQ(result.state, TaskState::kFailed);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::kConflict);
  EXPECT_NE(result.error->message.find("is running elsewhere"), std::string::npos) << result.error->message;
  EXPECT_TRUE(day.calls.empty());
  EXPECT_EQ(day.record().try_id, other.try_id);
  EXPECT_TRUE(must(day.file->find(kDagRuns, {})).empty());
}

TEST(Claim, ADeadWorkersTaskIsTakenUpWhenItsClaimHasPassed) {
  for (const TaskState state : {TaskState::kRunning, TaskState::kUpForRetry}) {
    SmallDay day;
    const Instant until = now() + milliseconds(300);
    day.put(day.of_airflow(state, until, 1));
    const DayResult result = must(run_dags(*day.file, {day.dag()}, day.table(), day.date, day.options()));
    EXPECT_EQ(result.state, TaskState::kSuccess);
    EXPECT_GE(now(), until);
    EXPECT_EQ(day.calls["first"], 1);
  }
}

TEST(Claim, WhatAnotherProcessFinishedMeanwhileIsKept) {
  SmallDay day;
  TaskRecord other = day.of_airflow(TaskState::kRunning, now() + hours(1));
  day.put(other);
  RunOptions options = day.options();
  options.on_event = [&](const Event& event) {
    if (event.kind != Event::Kind::kSensorWaiting) return;
    other.state = TaskState::kSuccess;
    other.completions = 1;
    other.alive_until.reset();
    day.put(other);
  };
  const DayResult result = must(run_dags(*day.file, {day.dag()}, day.table(), day.date, options));
  EXPECT_EQ(result.state, TaskState::kSuccess);
  EXPECT_EQ(day.calls["first"], 0);
  EXPECT_EQ(day.calls["second"], 1);
}

TEST(Claim, ASignalEndsTheWaiting) {
  SmallDay day;
  day.put(day.of_airflow(TaskState::kRunning, now() + hours(1)));
  std::atomic<bool> cancelled = false;
  RunOptions options = day.options();
  options.cancelled = &cancelled;
  options.on_event = [&](const Event& event) { cancelled = event.kind == Event::Kind::kSensorWaiting; };
  EXPECT_TRUE(must(run_dags(*day.file, {day.dag()}, day.table(), day.date, options)).cancelled);
  EXPECT_TRUE(day.calls.empty());
}

// A try that Airflow will make again is left to it; the record says until when that is expected.
TEST(Claim, ATryThatTheCallerWillRepeatIsClaimed) {
  SmallDay day;
  day.inside = [](TaskContext&) { return Status(io_error("the disk is full")); };
  RunOptions options = day.options();
  options.heartbeat = milliseconds{10'000};
  options.takes_over = true;
  DagSpec dag = day.dag();
  for (const int left : {1, 0}) {
    options.retries_left = left;
    must(execute_task(*day.file, dag, day.table(), day.date, "first", options, false));
    EXPECT_EQ(day.record().state, left == 1 ? TaskState::kUpForRetry : TaskState::kFailed);
    EXPECT_EQ(day.record().retries_left, left);
    EXPECT_EQ(is_claimed(day.record(), now()), left == 1);
    EXPECT_FALSE(is_claimed(day.record(), now() + kNextTryExpected));
  }
}

// Between the look at the record and the beginning another process may have begun.
TEST(Claim, ABeginningLooksOnceMore) {
  SmallDay day;
  day.put(day.of_airflow(TaskState::kRunning, now() + hours(1)));
  const auto refused =
      execute_task(*day.file, day.dag(), day.table(), day.date, "first", day.options(), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  RunOptions by_name = day.options();
  by_name.takes_over = true;
  EXPECT_EQ(must(execute_task(*day.file, day.dag(), day.table(), day.date, "first", by_name, false)).state,
            TaskState::kSuccess);
}

TEST(StoreTime, SignsOfLifeAreWrittenByTheStoresClock) {
  for (const hours ahead : {hours(-5), hours(5)}) {
    SmallDay day;
    store::ShiftedStore server(*day.file, ahead);
    const milliseconds beat{20};
    RunOptions options = day.options();
    options.heartbeat = beat;
    day.inside = [&](TaskContext&) {
      const Instant at = now() + ahead;
      const TaskRecord begun = day.record();
      EXPECT_LT(abs(*begun.alive_until - at), hours(1));
      while (day.record().alive_until == begun.alive_until) std::this_thread::sleep_for(beat);
      EXPECT_GT(*day.record().alive_until, *begun.alive_until);  // a beat
      EXPECT_LT(abs(*day.record().alive_until - at), hours(1));
      return Status();
    };
    must(execute_task(server, day.dag(), day.table(), day.date, "first", options, false));
  }
}

TEST(StoreTime, WhoIsDeadIsDecidedByTheStoresClock) {
  // By this machine's clock the claim has passed, by the server's it has not; and the other way round.
  SmallDay alive;
  alive.put(alive.of_airflow(TaskState::kRunning, now() - hours(4)));
  store::ShiftedStore behind(*alive.file, hours(-5));
  std::atomic<bool> cancelled = false;
  RunOptions options = alive.options();
  options.cancelled = &cancelled;
  options.on_event = [&](const Event& event) { cancelled = event.kind == Event::Kind::kSensorWaiting; };
  EXPECT_TRUE(must(run_dags(behind, {alive.dag()}, alive.table(), alive.date, options)).cancelled);
  SmallDay dead;
  dead.put(dead.of_airflow(TaskState::kRunning, now() + hours(4)));
  store::ShiftedStore ahead(*dead.file, hours(5));
  EXPECT_EQ(must(run_dags(ahead, {dead.dag()}, dead.table(), dead.date, dead.options())).state,
            TaskState::kSuccess);
}

}  // namespace
}  // namespace maeil::dag
