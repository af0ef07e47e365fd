// The evaluation's ways: whatever its branches answer, exactly one of the three verdict tasks runs.
#include "loop/pipelines.h"

#include <gtest/gtest.h>

#include "dag/dag_state.h"
#include "dag/trigger_rules.h"

namespace maeil::loop {
namespace {

// The tasks that run when the gate answers `answers[0]` and attempt k `answers[k]`.
std::vector<std::string> ran(const std::vector<std::string>& answers, bool challengers = false) {
  const auto dag = pipelines(3, challengers)[1];
  EXPECT_TRUE(dag::check_dag(dag));
  std::map<std::string, dag::TaskRecord> records;
  std::vector<std::string> out;
  for (const auto& task : dag.tasks) {
    const auto decision = dag::decide(dag, task, records);
    EXPECT_NE(decision, dag::Decision::kUpstreamFailed) << task.id;
    auto& record = records[task.id];
    record.state = decision == dag::Decision::kRun ? dag::TaskState::kSuccess : dag::TaskState::kSkipped;
    if (decision != dag::Decision::kRun) continue;
    if (task.kind == dag::TaskKind::kBranch) record.next = {answers.at(static_cast<size_t>(task.attempt))};
    out.push_back(task.id);
  }
  out.erase(out.begin(), out.begin() + 4);  // up to the gate all run
  return out;
}

std::vector<std::string> attempt(int k) {
  return {retrain_task(k, "prepare_retraining_data"), retrain_task(k, "finetune_model"),
          retrain_task(k, "evaluate_finetuned_model")};
}
std::vector<std::string> attempts(int n, const std::string& verdict) {
  std::vector<std::string> out;
  for (int k = 1; k <= n; ++k) {
    for (auto& task : attempt(k)) out.push_back(task);
  }
  out.push_back(verdict);
  return out;
}

TEST(EvaluationPipeline, EndsInExactlyOneVerdict) {
  const std::string pass = "send_evaluation_results", skip = "skip_evaluation", alert = "send_alert",
                    one = attempt(1)[0], two = attempt(2)[0], three = attempt(3)[0];
  EXPECT_EQ(ran({pass}), attempts(0, pass));
  EXPECT_EQ(ran({skip}), attempts(0, skip));
  EXPECT_EQ(ran({one, pass}), attempts(1, pass));
  EXPECT_EQ(ran({one, skip}), attempts(1, skip));
  EXPECT_EQ(ran({one, two, three, skip}), attempts(3, skip));
  EXPECT_EQ(ran({one, two, three, alert}), attempts(3, alert));
}

// Behind whichever verdict; without CHALLENGERS the DAG is the contract's.
TEST(EvaluationPipeline, TriesAChallengerBehindEveryVerdict) {
  const std::string pass = "send_evaluation_results", skip = "skip_evaluation", alert = "send_alert",
                    one = attempt(1)[0], two = attempt(2)[0], three = attempt(3)[0];
  const auto and_then = [](std::vector<std::string> tasks) {
    tasks.insert(tasks.end(), {"train_challenger", "evaluate_challenger"});
    return tasks;
  };
  EXPECT_EQ(ran({pass}, true), and_then(attempts(0, pass)));
  EXPECT_EQ(ran({skip}, true), and_then(attempts(0, skip)));
  EXPECT_EQ(ran({one, pass}, true), and_then(attempts(1, pass)));
  EXPECT_EQ(ran({one, two, three, alert}, true), and_then(attempts(3, alert)));
  for (const auto& dag : pipelines(3)) EXPECT_FALSE(dag::find_task(dag, "train_challenger")) << dag.id;
}

// By what the date's verdict announced, and not by the setting of now.
TEST(EvaluationPipeline, IsOverWithoutAChallengerThatNothingAnnounced) {
  const auto dag = pipelines(3, true)[1];
  const auto state = [&](const store::Document& verdict) {
    std::map<std::string, dag::TaskRecord> records;
    for (const auto& task : dag.tasks) {
      if (task.by_setting) continue;
      dag::TaskRecord& record = records[task.id];
      record.task_id = task.id;
      const bool ran = task.attempt == 0 && task.id != "send_alert" && task.id != "skip_evaluation";
      record.state = ran ? dag::TaskState::kSuccess : dag::TaskState::kSkipped;
      if (!ran) record.skipped_by = "check_model_performance";
      if (task.id == "check_model_performance") record.next = {"send_evaluation_results"};
      if (task.id == "send_evaluation_results") record.result = verdict;
    }
    dag::count_as_done(dag, records);
    return std::pair(records.contains("train_challenger"), dag::state_of_date(&dag, records, now()).first);
  };
  EXPECT_EQ(state({{"model_id", "a"}}), std::pair(true, dag::TaskState::kSuccess));
  EXPECT_EQ(state({{"announces", {"train_challenger"}}}), std::pair(false, dag::TaskState::kRunning));
}

TEST(Pipelines, AreSoundAndInTheOrderOfTheDay) {
  std::vector<std::string> ids;
  for (const auto& dag : pipelines(3)) {
    EXPECT_TRUE(dag::check_dag(dag)) << dag.id;
    ids.push_back(dag.id);
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"data_pipeline_dag", "model_evaluation_pipeline",
                                           "model_deployment_pipeline", "scoring_pipeline"}));
}

}  // namespace
}  // namespace maeil::loop
