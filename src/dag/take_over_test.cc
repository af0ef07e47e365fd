// A task of which two tries are about: one was killed, overtaken, or took long, or its commit's answer was
// lost.
#include <thread>

#include "dag/execute.h"
#include "dag/test_day.h"
#include "store/test_stores.h"

namespace maeil::dag {
namespace {

// A batch that a task commits before it is finished counts only while the try does.
TEST(Task, AFencedBatchOfAnOvertakenTryIsRefused) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  int calls = 0;
  TaskTable table = day.table();
  Status late;
  table[{"data", "generate"}] = [&](TaskContext& context) -> Result<TaskOutcome> {
    if (++calls == 1) {
      // another takes it up, and finishes it
      must(execute_task(*store, dag, table, kDate, "generate", day.options(), false));
      store::Batch batch;
      batch.puts.push_back({"early", {{"_id", store::id_value(store::new_object_id(now()))}}});
      context.fence(batch);
      late = context.store.commit(batch);
    }
    return TaskOutcome{};
  };
  EXPECT_FALSE(execute_task(*store, dag, table, kDate, "generate", day.options(), false));
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(must(store->find("early", {})).empty());
  EXPECT_EQ(must(read_record(*store, {kDate, "data", "generate"}))->completions, 1);
}

// A commit that arrived and whose answer did not: the task is done, once.
TEST(Task, ACommitThatIsThereThoughItFailedCounts) {
  Day day;
  const auto file = day.open();
  store::DeafStore store(*file);
  store.at = 2;  // the first commit says that the task runs
  const TaskRecord record =
      must(execute_task(store, day_dags()[0], day.table(), kDate, "generate", day.options(), false));
  EXPECT_EQ(store.at, 0);
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_EQ(must(read_record(*file, {kDate, "data", "generate"}))->state, TaskState::kSuccess);
  EXPECT_EQ(work_done(*file).size(), 2u);
}

TEST(Task, AKilledTryIsTakenUpByTheNextWithNothingDoubled) {
  Day day;
  const auto store = day.open();
  const DagSpec dag = day_dags()[0];
  for (int at = 1; at <= 3; ++at) {
    Child child([&] {
      day.ticks = 0;
      day.kill_at = at;
      const auto own = day.open();
      RunOptions quiet = day.options();
      quiet.on_event = nullptr;
      return execute_task(*own, dag, day.table(), kDate, "generate", quiet, false) ? 0 : 1;
    });
    ASSERT_EQ(child.wait(), -SIGKILL) << at;
    EXPECT_EQ(must(task_state(*store, kDate, "data", "generate")), TaskState::kRunning);
    EXPECT_TRUE(work_done(*store).empty());
  }
  const TaskRecord record =
      must(execute_task(*store, dag, day.table(), kDate, "generate", day.options(), false));
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_EQ(record.try_number, 4);
  EXPECT_EQ(work_done(*store).size(), 2u);
}

// A process that was paused wakes up after another has done its task.
TEST(Task, ATryThatWasOvertakenWritesNothing) {
  for (const bool fails : {false, true}) {
    Day day;
    const auto store = day.open();
    const auto write = [&](TaskContext& context, const char* who) -> Result<TaskOutcome> {
      TaskOutcome out;
      out.result = {{"who", who}};
      out.batch.puts.push_back(
          {"work",
           {{"_id", store::id_value(store::task_object_id(context.task_key(), "work", 0))},
            {"who", who},
            {"task_key", context.task_key()}}});
      return out;
    };
    const TaskTable quick = table_of([&](TaskContext& context) { return write(context, "the second"); });
    const TaskTable paused = table_of([&](TaskContext& context) -> Result<TaskOutcome> {
      RunOptions other = day.options("second");
      other.heartbeat = std::chrono::milliseconds{5};
      other.takes_over = true;
      EXPECT_EQ(must(execute_task(*store, one({.id = "t"}), quick, kDate, "t", other, false)).state,
                TaskState::kSuccess);
      if (fails) return io_error("the disk was full");
      return write(context, "the first");
    });
    RunOptions options = day.options("first");
    options.heartbeat = std::chrono::milliseconds{5};
    const auto first = execute_task(*store, one({.id = "t"}), paused, kDate, "t", options, false);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::kConflict);
    EXPECT_NE(first.error().message.find(fails ? "could not be recorded" : "taken up by another try"),
              std::string::npos)
        << first.error().message;
    const TaskRecord record = must(read_record(*store, {kDate, "one", "t"})).value();
    EXPECT_EQ(record.state, TaskState::kSuccess);
    EXPECT_EQ(record.result["who"], "the second");
    EXPECT_EQ(record.try_number, 2);
    EXPECT_EQ(must(store->find_one("work", {}))["who"], "the second");
  }
}

TEST(Task, AHeartbeatTellsADeadLastTryFromALongOne) {
  using std::chrono::milliseconds;
  const DagSpec dag = day_dags()[0];
  const TaskName name{kDate, "data", "generate"};
  const milliseconds beat{20};
  for (const int left : {0, 1}) {
    Day day;
    const auto store = day.open();
    Signpost inside;
    Child child([&] {
      day.inside = [&](const std::string&) {
        inside.raise();
        ::pause();
      };
      const auto own = day.open();
      RunOptions options = day.options();
      options.heartbeat = beat;
      options.retries_left = left;
      return execute_task(*own, dag, day.table(), kDate, "generate", options, false) ? 0 : 1;
    });
    inside.await();
    const TaskRecord first = must(read_record(*store, name)).value();
    ASSERT_TRUE(first.alive_until);
    EXPECT_EQ(first.retries_left, left);
    EXPECT_FALSE(is_dead(first, *first.alive_until));
    // with a try left it is not over
    EXPECT_EQ(is_dead(first, *first.alive_until + milliseconds{1}), left == 0);
    TaskRecord later = first;
    while (*later.alive_until == *first.alive_until) {
      std::this_thread::sleep_for(beat);
      later = must(read_record(*store, name)).value();
    }
    EXPECT_GT(*later.alive_until, *first.alive_until);
    ASSERT_EQ(child.kill(), -SIGKILL);
    const TaskRecord last = must(read_record(*store, name)).value();
    EXPECT_EQ(is_dead(last, now() + std::chrono::hours{1}), left == 0);
    RunOptions options = day.options();
    options.takes_over = true;
    options.heartbeat = beat;
    const TaskRecord done = must(execute_task(*store, dag, day.table(), kDate, "generate", options, false));
    EXPECT_EQ(done.state, TaskState::kSuccess);
    EXPECT_FALSE(must(read_record(*store, name))->alive_until);
  }
  Day builtin;
  const auto store = builtin.open();
  builtin.inside = [&](const std::string&) { EXPECT_FALSE(must(read_record(*store, name))->alive_until); };
  must(execute_task(*store, dag, builtin.table(), kDate, "generate", builtin.options(), false));
}

}  // namespace
}  // namespace maeil::dag
