#include "loop/pipelines.h"

#include <fmt/format.h>

#include "base/dataset_name.h"
#include "loop/challengers.h"

namespace maeil::loop {

using dag::TaskKind;
using dag::TaskSpec;
using dag::TriggerRule;

std::string retrain_task(int attempt, std::string_view task) {
  return fmt::format("retrain_{}.{}", attempt, task);
}

std::vector<dag::DagSpec> pipelines(int max_attempts, bool challengers) {
  const int kTries = 2;  // technical retries, for what may pass: a full disk, a busy server

  dag::DagSpec data{kDataDag, "Makes the day's data and prepares it for the model in force", {}};
  data.tasks = {
      {.id = "wait_for_source",
       .kind = TaskKind::kSensor,
       .retries = kTries,
       .description = "until the day's file is there and no longer grows, where rows are taken from one"},
      {.id = "generate_data",
       .upstream = {"wait_for_source"},
       .retries = kTries,
       .shardable = true,
       .produces = {"raw_data"},
       .description = "sample the day's rows into raw_data and a CSV file"},
      {.id = "validate_data",
       .upstream = {"generate_data"},
       .retries = kTries,
       .produces = {"data_validations"},
       .description = "hold them against the dataset's contract and the days before"},
      {.id = "preprocess_data",
       .upstream = {"validate_data"},
       .retries = kTries,
       .shardable = true,
       .produces = {"processed_data", "processing_metadata"},
       .description = "transform them with the fitted values of the model in force"},
  };

  dag::DagSpec evaluation{
      kEvaluationDag, "Evaluates the model in force, retrains it when F1 is under the gate", {}};
  evaluation.tasks = {
      {.id = "wait_for_data",
       .kind = TaskKind::kSensor,
       .retries = kTries,
       .description = "until the same date's preprocess_data is done"},
      {.id = "load_latest_model",
       .upstream = {"wait_for_data"},
       .retries = kTries,
       .description = "which version is in force"},
      {.id = "evaluate_model",
       .upstream = {"load_latest_model"},
       .retries = kTries,
       .shardable = true,
       .produces = {"performance_metrics"},
       .description = "metrics on the test split"},
      {.id = "check_model_performance",
       .kind = TaskKind::kBranch,
       .upstream = {"evaluate_model"},
       .retries = kTries,
       .description = "F1 against F1_THRESHOLD, where it can be judged"},
  };
  TaskSpec results{.id = "send_evaluation_results",
                   .upstream = {"check_model_performance"},
                   .trigger_rule = TriggerRule::kNoneFailedMinOneSuccess,
                   .retries = kTries,
                   .produces = {"evaluation_events"},
                   .description = "the verdict of a pass"};
  TaskSpec skipped = results;
  skipped.id = "skip_evaluation";
  skipped.produces = {"alerts", "evaluation_events"};
  skipped.description = "the model cannot be judged: neither passed nor failed, deploy nothing";
  for (int k = 1; k <= max_attempts; ++k) {
    const std::string before =
        k == 1 ? "check_model_performance" : retrain_task(k - 1, "evaluate_finetuned_model");
    evaluation.tasks.push_back({.id = retrain_task(k, "prepare_retraining_data"),
                                .upstream = {before},
                                .attempt = k,
                                .retries = kTries,
                                .produces = {"training_data"},
                                .description = "pick the parent and the rows to learn from"});
    evaluation.tasks.push_back({.id = retrain_task(k, "finetune_model"),
                                .upstream = {retrain_task(k, "prepare_retraining_data")},
                                .attempt = k,
                                .retries = kTries,
                                .produces = {"training_events", "model_metadata"},
                                .description = "fine-tune on the fine split, register the version"});
    evaluation.tasks.push_back({.id = retrain_task(k, "evaluate_finetuned_model"),
                                .kind = TaskKind::kBranch,
                                .upstream = {retrain_task(k, "finetune_model")},
                                .attempt = k,
                                .retries = kTries,
                                .shardable = true,
                                .produces = {"performance_metrics"},
                                .description = "F1 on the test split against F1_THRESHOLD"});
    for (auto* verdict : {&results, &skipped})
      verdict->upstream.push_back(retrain_task(k, "evaluate_finetuned_model"));
  }
  evaluation.tasks.push_back(results);
  evaluation.tasks.push_back({.id = "send_alert",
                              .upstream = {retrain_task(max_attempts, "evaluate_finetuned_model")},
                              .retries = kTries,
                              .produces = {"alerts", "evaluation_events"},
                              .description = "every attempt failed: tell people, deploy nothing"});
  evaluation.tasks.push_back(skipped);
  if (challengers) {
    evaluation.tasks.push_back(
        {.id = kTrainChallenger,
         .upstream = {results.id, "send_alert", skipped.id},
         .trigger_rule = TriggerRule::kNoneFailedMinOneSuccess,
         .retries = kTries,
         .by_setting = true,
         .produces = {"training_events", "model_metadata"},
         .description = "a challenger from scratch, when the gate failed or it is due"});
    evaluation.tasks.push_back({.id = kEvaluateChallenger,
                                .upstream = {kTrainChallenger},
                                .retries = kTries,
                                .by_setting = true,
                                .shardable = true,
                                .produces = {"performance_metrics", "challenger_events"},
                                .description = "against the champion, on the same rows of the test split"});
  }

  dag::DagSpec deployment{kDeploymentDag, "Deploys what the evaluation approved", {}};
  deployment.tasks = {
      {.id = "wait_for_evaluation",
       .kind = TaskKind::kSensor,
       .retries = kTries,
       .description = "until the same date's evaluation has a verdict"},
      {.id = "wait_for_model_ready",
       .kind = TaskKind::kSensor,
       .upstream = {"wait_for_evaluation"},
       .retries = kTries,
       .description = "until the approved version's bytes are in the store"},
      {.id = "deploy_model",
       .upstream = {"wait_for_model_ready"},
       .retries = kTries,
       .produces = {"deployment_events"},
       .description = "switch the link to it"},
      {.id = "notify_deployment_complete",
       .upstream = {"deploy_model"},
       .retries = kTries,
       .produces = {"notifications"},
       .description = "tell people"},
  };

  dag::DagSpec scoring{kScoringDag, "Scores every row of the day with the model in force", {}};
  scoring.tasks = {
      {.id = "wait_for_deployment",
       .kind = TaskKind::kSensor,
       .retries = kTries,
       .description = "until the same date's deployment is done, or skipped"},
      {.id = "score_data",
       .upstream = {"wait_for_deployment"},
       .retries = kTries,
       .shardable = true,
       .produces = {"predictions"},
       .description = "probability and decision of every row, into predictions and a CSV file"},
  };
  return {data, evaluation, deployment, scoring};
}

std::vector<dag::DagSpec> pipelines(const Settings& settings) {
  auto out = pipelines(static_cast<int>(settings.max_retrain_attempts), !settings.challengers.empty());
  for (auto& dag : out) dag.id = name_in_dataset(settings.dataset, dag.id);
  return out;
}

}  // namespace maeil::loop
