// retrain_k of model_evaluation_pipeline: prepare_retraining_data -> finetune_model -> evaluate_finetuned_model.
#include <fmt/format.h>

#include "base/hash.h"
#include "loop/evaluation.h"
#include "loop/pipelines.h"
#include "loop/tasks.h"
#include "loop/training.h"
#include "registry/status.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Attempt 1 continues the model in force, attempt k the best attempt before it, by F1 on `fine` (never on `test`).
Result<std::string> parent_of(TaskContext& context) {
  if (context.attempt <= 1) {
    MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
    return loaded.value("model_id", "");
  }
  std::string best;
  double best_f1 = -1;
  for (int k = 1; k < context.attempt; ++k) {
    MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, retrain_task(k, "finetune_model")));
    if (const double f1 = result.value("fine_f1_score", 0.0); f1 > best_f1) {
      best_f1 = f1;
      best = result.value("model_id", "");
    }
  }
  return best;
}

Result<TaskOutcome> prepare_retraining_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const std::string parent_id, parent_of(context));
  MAEIL_ASSIGN(const auto parent, registry::find_version(context.store, parent_id));
  MAEIL_ASSIGN(const auto model, registry::load_version(context.store, parent, day.spec, static_cast<int>(day.settings.nhead)));
  MAEIL_TRY(ensure_prepared(context, day, *model.preparation));
  MAEIL_ASSIGN(const auto sizes, split_sizes(context.store, context.logical_date, *model.preparation));
  TaskOutcome out;
  out.message = fmt::format("attempt {} fine-tunes version {} on {} rows", context.attempt, parent.version, sizes.fine);
  out.result = {{"parent_id", parent_id}, {"fine", sizes.fine}};
  out.batch.puts.push_back({"training_data", stamped(context, "training_data",
                                                     {{"num_train_samples", sizes.train},
                                                      {"num_finetune_samples", sizes.fine},
                                                      {"num_test_samples", sizes.test},
                                                      {"num_categorical_features", model.preparation->categorical.size()},
                                                      {"num_numerical_features", model.preparation->numeric.size()},
                                                      {"status", "prepared"},
                                                      {"parent_id", parent_id},
                                                      {"attempt", context.attempt}})});
  return out;
}

Result<TaskOutcome> finetune_model(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto prepared, result_of(context, kEvaluationDag, retrain_task(context.attempt, "prepare_retraining_data")));
  MAEIL_ASSIGN(const auto parent, registry::find_version(context.store, prepared.value("parent_id", "")));
  MAEIL_ASSIGN(auto model, registry::load_version(context.store, parent, day.spec, static_cast<int>(day.settings.nhead)));
  MAEIL_ASSIGN(const Samples fine, read_split(context.store, context.logical_date, *model.preparation, "fine"));
  if (fine.rows() == 0) {
    return bad_input(fmt::format("the fine split of {} has no labelled rows to learn from: raise DATA_QUANTITY", format_date(context.logical_date)));
  }
  nn::TrainOptions options;
  options.epochs = static_cast<int>(day.settings.finetune_epochs);
  options.batch = static_cast<size_t>(day.settings.finetune_batch_size);
  options.learning_rate = static_cast<float>(day.settings.finetune_learning_rate);
  options.dropout = static_cast<float>(day.settings.dropout_rate);
  options.seed = hash64(context.task_name(), static_cast<uint64_t>(day.settings.seed));
  options.unknown_embeddings = model.unknown;
  store::Document epochs;
  MAEIL_ASSIGN(auto tuned, train_with_epochs(context, model, fine, nullptr, options, epochs));
  model.parameters = std::move(tuned);
  model.unknown.clear();  // the tables have moved: unknown values follow their means

  TaskOutcome out;
  registry::NewVersion version{.model_name = registry::kClassifier,
                               .hyperparameters = hyperparameters_of(day, model.parameters.shape),
                               .finetuned_from = parent.id,
                               .notes = fmt::format("retraining attempt {} of {}", context.attempt, format_date(context.logical_date))};
  version.hyperparameters.update({{"finetune_epochs", options.epochs}, {"batch_size", options.batch},
                                  {"learning_rate", day.settings.finetune_learning_rate}});
  MAEIL_TRY(add_version(day, context, model, "classifier_finetuned", version, out));
  const double fine_f1 = epochs.back()["f1_score"];
  out.message = fmt::format("version {} from {}: F1 {:.4f} on the rows it learnt from", version.version, parent.version, fine_f1);
  out.result = {{"model_id", version.id}, {"model_version", version.version}, {"fine_f1_score", fine_f1}};
  out.batch.puts.push_back({"training_events", stamped(context, "training_events", training_event(version, epochs))});
  return out;
}

Result<TaskOutcome> evaluate_finetuned_model(const Day& day, TaskContext& context) {
  const int attempts = static_cast<int>(day.settings.max_retrain_attempts);
  MAEIL_ASSIGN(const auto tuned, result_of(context, kEvaluationDag, retrain_task(context.attempt, "finetune_model")));
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, tuned.value("model_id", "")));
  if (context.shard.is_part()) return score_part(context, day, version, "test");
  MAEIL_ASSIGN(const auto evaluation, evaluate_version(context, day, version, "test"));
  const double f1 = evaluation.metrics.f1_score, threshold = day.settings.f1_threshold;
  const bool passed = f1 >= threshold;
  TaskOutcome out;
  out.message = fmt::format("{}: {}", describe(evaluation.metrics, evaluation.document), passed ? "approved" : "rejected");
  out.result = {{"model_id", version.id}, {"model_version", version.version}, {"passed", passed}, {"metrics", evaluation.document}};
  out.next = {passed ? "send_evaluation_results" : context.attempt < attempts ? retrain_task(context.attempt + 1, "prepare_retraining_data") : "send_alert"};
  out.batch.puts.push_back({"performance_metrics", stamped(context, "performance_metrics", {{"model_id", version.id},
                                                                                           {"dataset_name", "post_finetune_test"},
                                                                                           {"metrics", evaluation.document}})});
  if (const auto status = registry::status_after_verdict(version, registry::Judged::kAttempt, passed)) {
    const std::string note = fmt::format("F1 Score: {:.4f}, Threshold: {}, Retry: {}", f1, threshold, context.attempt);
    MAEIL_TRY(registry::change_status(version, {*status, context.run_id, note, evaluation.document}, now(), out.batch));
  }
  return out;
}

}  // namespace

void add_retraining_tasks(const Day& day, dag::TaskTable& table) {
  table[{kEvaluationDag, "prepare_retraining_data"}] = [&day](TaskContext& c) { return prepare_retraining_data(day, c); };
  table[{kEvaluationDag, "finetune_model"}] = [&day](TaskContext& c) { return finetune_model(day, c); };
  table[{kEvaluationDag, "evaluate_finetuned_model"}] = [&day](TaskContext& c) { return evaluate_finetuned_model(day, c); };
}

}  // namespace maeil::loop
