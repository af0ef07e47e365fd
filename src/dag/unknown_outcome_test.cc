// A commit whose answer was lost, at each of a task's commits: what is in the store counts, and where nobody
// can look nobody is told that something failed.
#include "dag/test_support.h"
#include "store/test_stores.h"

namespace maeil::dag {
namespace {

// kConflict: the driver sent the commit again, and it met itself
class LostAnswer : public testing::TestWithParam<ErrorCode> {};

TEST_P(LostAnswer, OfABeginningBeginsOnce) {
  SmallDay day;
  store::DeafStore store(*day.file);
  store.code = GetParam();
  store.at = 1;
  const TaskRecord record =
      must(execute_task(store, day.dag(), day.table(), day.date, "first", day.options(), false));
  EXPECT_EQ(record.state, TaskState::kSuccess);
  EXPECT_EQ(day.record().try_number, 1);
  EXPECT_EQ(day.calls["first"], 1);
}

TEST_P(LostAnswer, OfAnEndIsASuccess) {
  SmallDay day;
  store::DeafStore store(*day.file);
  store.code = GetParam();
  store.at = 2;
  EXPECT_EQ(must(execute_task(store, day.dag(), day.table(), day.date, "first", day.options(), false)).state,
            TaskState::kSuccess);
  EXPECT_EQ(day.record().state, TaskState::kSuccess);
  EXPECT_EQ(day.calls["first"], 1);
}

TEST_P(LostAnswer, OfAFailureIsThatFailure) {
  SmallDay day;
  day.inside = [](TaskContext&) { return Status(bad_input("line 3 is wrong")); };
  store::DeafStore store(*day.file);
  store.code = GetParam();
  store.at = 2;
  const TaskRecord record =
      must(execute_task(store, day.dag(), day.table(), day.date, "first", day.options(), false));
  EXPECT_EQ(record.state, TaskState::kFailed);
  EXPECT_EQ(record.error->message, "line 3 is wrong");
}

TEST_P(LostAnswer, OfTheRunsOwnDocumentEndsNothing) {
  SmallDay day;
  store::DeafStore store(*day.file);
  store.code = GetParam();
  for (const int at : {1, 6}) {  // begin; two tasks of two commits; end
    store.at = at;
    const DayResult result =
        must(run_dags(store, {day.dag()}, day.table(), day.date, day.options(std::to_string(at))));
    EXPECT_EQ(result.state, TaskState::kSuccess) << at;
    EXPECT_EQ(store.at, 0);
    for (const auto& run : must(day.file->find(kDagRuns, {}))) EXPECT_EQ(run["state"], "success");
    RunOptions clear = day.options("clear");
    store::Batch batch;
    for (const char* task : {"first", "second"})
      batch.erases.push_back({kTaskInstances, record_id(day.name(task))});
    ASSERT_TRUE(day.file->commit(batch));
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, LostAnswer, testing::Values(ErrorCode::kUnavailable, ErrorCode::kConflict));

TEST(UnknownOutcome, IsSaidToBeUnknownAndNothingIsRecordedAsFailed) {
  SmallDay day;
  store::DeafStore store(*day.file);
  store.at = 2;
  store.goes_blind = true;
  const auto answer = execute_task(store, day.dag(), day.table(), day.date, "first", day.options(), false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(exit_code(answer.error().code), 1);
  EXPECT_NE(answer.error().message.find("may or may not have been recorded"), std::string::npos)
      << answer.error().message;
  EXPECT_NE(answer.error().message.find("maeil logs 2026-11-23"), std::string::npos)
      << answer.error().message;
  EXPECT_EQ(day.record().state, TaskState::kSuccess);
  EXPECT_EQ(day.calls["first"], 1);
}

// A commit that arrives after the try was given up for failed changes nothing: it expects a task that runs.
TEST(UnknownOutcome, ALateCommitOfAFailedTryIsRefused) {
  class LateStore : public store::ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;
    int at = 0;
    store::Batch late;
    Status commit(const store::Batch& batch) override {
      if (++at != 2) return below_.commit(batch);
      late = batch;
      return fail(ErrorCode::kUnavailable, "the connection broke");
    }
  };
  SmallDay day;
  LateStore store(*day.file);
  DagSpec dag = day.dag();
  dag.tasks[0].retries = 0;
  EXPECT_EQ(must(execute_task(store, dag, day.table(), day.date, "first", day.options(), false)).state,
            TaskState::kFailed);
  EXPECT_EQ(day.file->commit(store.late).error().code, ErrorCode::kConflict);
  EXPECT_EQ(day.record().state, TaskState::kFailed);
}

}  // namespace
}  // namespace maeil::dag
