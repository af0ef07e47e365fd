// RETENTION_DAYS_HISTORY: what goes, what stays, and that a date whose history is gone is done again without
// touching what it recorded.
#include "loop/history_retention.h"

#include <gtest/gtest.h>

#include "dag/dag_run.h"
#include "dag/runner.h"
#include "dag/task_history.h"
#include "dag/task_log.h"
#include "loop/pipelines.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

const Days kDate = parse_date("2026-01-05").value();

class OldHistory : public testing::Test {
 protected:
  OldHistory() {
    dag::TaskSpec judge;
    judge.id = "judge";
    dags_ = {{"evaluation", "", {judge}}};
    table_[{"evaluation", "judge"}] = [this](dag::TaskContext& context) -> Result<dag::TaskOutcome> {
      if (fails_) return bad_input("wrong");
      context.log("said");
      dag::TaskOutcome outcome;
      outcome.result = {{"model_id", "m"}};
      outcome.batch.puts.push_back(
          {"evaluation_events",
           {{"_id", store::id_value(store::task_object_id(context.task_key(), "evaluation_events", 0))},
            {"doing", context.completions},
            {"logical_date", format_date(context.logical_date)}}});
      return outcome;
    };
  }
  void run(Days date, bool again = false) {
    dag::RunOptions options;
    options.run_id = dag::make_run_id("manual", now());
    options.program = {{"maeil", "1"}};
    options.clear = again;
    ASSERT_TRUE(dag::run_dags(*store_, dags_, table_, date, options));
  }
  PrunedHistory prune(bool dry_run = false) {
    return prune_history(*store_, dags_, kDate + std::chrono::days(1), dry_run).value();
  }
  std::vector<store::Document> all(const char* collection) { return store_->find(collection, {}).value(); }
  std::vector<store::Document> everything() {
    std::vector<store::Document> out;
    const auto names = store_->collections().value();
    for (const auto& name : names) out.push_back(store::Document(store_->find(name, {}).value()));
    return out;
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
  std::vector<dag::DagSpec> dags_;
  dag::TaskTable table_;
  bool fails_ = false;
};

TEST_F(OldHistory, OfOldDatesGoesAndTheirRecordsSayWhatALaterRunGoesBy) {
  run(kDate);
  run(kDate, true);
  run(kDate + std::chrono::days(1));
  const auto before = everything();
  const PrunedHistory plan = prune(true);
  EXPECT_EQ(everything(), before);
  const PrunedHistory done = prune();
  EXPECT_EQ(done.dates, std::vector<std::string>{"2026-01-05"});
  for (const PrunedHistory& said : {plan, done}) {
    EXPECT_EQ(said.runs, 2);
    EXPECT_EQ(said.logs, 2);
    EXPECT_EQ(said.records, 2);  // the record, and what task_history kept of it
  }
  EXPECT_EQ(all(dag::kDagRuns).size(), 1u);
  EXPECT_EQ(all(dag::kTaskLogs).size(), 1u);
  EXPECT_TRUE(all(dag::kTaskHistory).empty());
  EXPECT_EQ(all("evaluation_events").size(), 3u);
  const auto record = dag::read_record(*store_, {kDate, "evaluation", "judge"}).value().value();
  EXPECT_EQ(record.state, dag::TaskState::kSuccess);
  EXPECT_EQ(record.completions, 2);
  EXPECT_EQ(record.try_number, 2);
  EXPECT_EQ(record.result["model_id"], "m");
  EXPECT_FALSE(all(dag::kTaskInstances)[0].contains("program"));
  EXPECT_TRUE(prune().dates.empty());  // once
}

TEST_F(OldHistory, OnceGoneTheDateIsStillDoneAndDoingItAgainReplacesNothing) {
  run(kDate);
  run(kDate, true);
  ASSERT_EQ(prune().dates.size(), 1u);
  EXPECT_TRUE(dag::is_finished(*store_, dags_, kDate).value());
  const auto events = all("evaluation_events");
  ASSERT_EQ(events.size(), 2u);
  run(kDate);  // goes on: nothing to do
  EXPECT_EQ(all("evaluation_events"), events);
  run(kDate, true);
  const auto after = all("evaluation_events");
  ASSERT_EQ(after.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(after[i]["doing"], i);
  EXPECT_EQ(after[2]["supersedes"], after[1]["_id"]);
  EXPECT_EQ(after[1]["superseded_by"], after[2]["_id"]);
}

TEST_F(OldHistory, OfADateThatIsNotOverStays) {
  run(kDate);
  store::Batch batch;
  batch.sets.push_back(
      {dag::kTaskInstances, dag::record_id({kDate, "evaluation", "judge"}), {{"state", "running"}}});
  ASSERT_TRUE(store_->commit(batch));
  EXPECT_EQ(prune().open, std::vector<std::string>{"2026-01-05"});
  EXPECT_EQ(all(dag::kDagRuns).size(), 1u);
  EXPECT_TRUE(all(dag::kTaskInstances)[0].contains("program"));
}

// As an older maeil left its dates, which had no scoring DAG; another DAG that never began is still to come.
TEST_F(OldHistory, OfADateThatWasNeverScoredGoes) {
  run(kDate);
  dags_.push_back({kScoringDag, "", {}});
  EXPECT_EQ(prune(true).dates.size(), 1u);
  dags_.back().id = kDeploymentDag;
  EXPECT_EQ(prune(true).open.size(), 1u);
}

TEST_F(OldHistory, OfADateThatFailedGoesButNotWhy) {
  fails_ = true;
  run(kDate);
  EXPECT_EQ(prune().dates.size(), 1u);
  const auto record = dag::read_record(*store_, {kDate, "evaluation", "judge"}).value().value();
  EXPECT_EQ(record.state, dag::TaskState::kFailed);
  EXPECT_EQ(record.error->message, "wrong");
}

TEST_F(OldHistory, OfOneDateMayBeMoreThanOneCommit) {
  run(kDate);
  store::Batch batch;
  for (int i = 0; i < 450; ++i) {
    batch.puts.push_back({dag::kTaskLogs,
                          {{"_id", store::id_value(store::new_object_id(now()))},
                           {"logical_date", "2026-01-05"},
                           {"lines", {"x"}}}});
  }
  ASSERT_TRUE(store_->commit(batch));
  EXPECT_EQ(prune().logs, 451);
  EXPECT_TRUE(all(dag::kTaskLogs).empty());
}

}  // namespace
}  // namespace maeil::loop
