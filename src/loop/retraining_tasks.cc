// retrain_k of model_evaluation_pipeline: prepare_retraining_data -> finetune_model ->
// evaluate_finetuned_model.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "loop/attempt_choice.h"
#include "loop/comparison.h"
#include "loop/decide.h"
#include "loop/evaluation.h"
#include "loop/gate.h"
#include "loop/labels/labelled_days.h"
#include "loop/labels/labelled_rows.h"
#include "loop/pipelines.h"
#include "loop/prepared/prepare.h"
#include "loop/recipes.h"
#include "loop/tasks.h"
#include "loop/training.h"
#include "registry/status.h"
#include "registry/version_file.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Attempt 1 continues the model in force, attempt k the best attempt before it by the validation part of
// `fine` (never by `test`, nor by rows that an attempt has learnt).
Result<std::string> parent_of(TaskContext& context) {
  if (context.attempt <= 1) {
    MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
    return loaded.value("model_id", "");
  }
  std::vector<std::string> ids;
  std::vector<AttemptScore> scores;
  for (int k = 1; k < context.attempt; ++k) {
    MAEIL_ASSIGN(const auto result, result_of(context, kEvaluationDag, retrain_task(k, "finetune_model")));
    ids.push_back(result.value("model_id", ""));
    scores.push_back({metric_of(result, "validation_f1_score"), metric_of(result, "validation_log_loss")});
  }
  return ids[best_attempt(scores)];
}

// What an attempt learns from, and where that is.
struct RowsToLearn {
  std::vector<Days> dates;  // empty: the date's own, of processed_data
  SplitSizes sizes;
  double kept = 1;  // of the labelled rows of other days (ROW_CAP)
};

Result<RowsToLearn> rows_to_learn(const Day& day, TaskContext& context,
                                  const prep::Preparation& preparation) {
  RowsToLearn out;
  MAEIL_ASSIGN(auto learnt, days_to_learn(context.store, day, context.logical_date));
  out.dates = std::move(learnt.dates);
  if (out.dates.empty()) {
    MAEIL_TRY(ensure_prepared(context, day, preparation));
    MAEIL_ASSIGN(out.sizes, split_sizes(context.store, context.logical_date, preparation,
                                        static_cast<uint64_t>(day.settings.seed)));
    return out;
  }
  MAEIL_ASSIGN(const auto found,
               labelled_sizes(context.store, day, out.dates, context.logical_date, preparation));
  out.sizes = found.sizes;
  if (found.fine_labelled > day.settings.row_cap) {
    out.kept = static_cast<double>(day.settings.row_cap) / static_cast<double>(found.fine_labelled);
    context.log(fmt::format("about {} of {} labelled rows of the fine split are drawn (ROW_CAP)",
                            day.settings.row_cap, found.fine_labelled));
  }
  return out;
}

Result<FineRows> rows_learnt(const Day& day, TaskContext& context, const store::Document& prepared,
                             const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const auto dates, dates_of(prepared, "days"));
  if (dates.empty()) {
    return read_fine(context.store, context.logical_date, preparation,
                     static_cast<uint64_t>(day.settings.seed));
  }
  return read_labelled_fine(context.store, day, dates, context.logical_date, preparation,
                            prepared.value("kept", 1.0));
}

Result<TaskOutcome> prepare_retraining_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const std::string parent_id, parent_of(context));
  MAEIL_ASSIGN(const auto parent, registry::find_version(context.store, parent_id));
  MAEIL_ASSIGN(const auto model,
               registry::load_version(context.store, parent, day.spec, static_cast<int>(day.settings.nhead)));
  MAEIL_ASSIGN(const RowsToLearn learnt, rows_to_learn(day, context, *model.preparation));
  const SplitSizes& sizes = learnt.sizes;
  TaskOutcome out;
  out.message = fmt::format("attempt {} fine-tunes version {} on {} rows, {} more are its validation",
                            context.attempt, parent.version, sizes.fine - sizes.validation, sizes.validation);
  out.result = {{"parent_id", parent_id}, {"fine", sizes.fine}, {"validation", sizes.validation}};
  store::Document document = {{"num_train_samples", sizes.train},
                              {"num_finetune_samples", sizes.fine},
                              {"num_validation_samples", sizes.validation},
                              {"num_test_samples", sizes.test},
                              {"num_categorical_features", model.preparation->categorical.size()},
                              {"num_numerical_features", model.preparation->numeric.size()},
                              {"status", "prepared"},
                              {"parent_id", parent_id},
                              {"attempt", context.attempt}};
  if (!learnt.dates.empty()) {
    out.message += fmt::format(" ({})", describe_dates(learnt.dates));
    document["days"] = out.result["days"] = date_texts(learnt.dates);
    out.result["kept"] = learnt.kept;
  }
  out.batch.puts.push_back({"training_data", stamped(context, "training_data", std::move(document))});
  return out;
}

Result<TaskOutcome> finetune_model(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto prepared,
               result_of(context, kEvaluationDag, retrain_task(context.attempt, "prepare_retraining_data")));
  MAEIL_ASSIGN(const auto parent, registry::find_version(context.store, prepared.value("parent_id", "")));
  MAEIL_ASSIGN(auto model,
               registry::load_version(context.store, parent, day.spec, static_cast<int>(day.settings.nhead)));
  MAEIL_ASSIGN(const FineRows fine, rows_learnt(day, context, prepared, *model.preparation));
  if (fine.learn.rows() == 0) {
    return bad_input(
        fmt::format("the fine split of {} has no labelled rows to learn from: raise DATA_QUANTITY",
                    format_date(context.logical_date)));
  }
  if (fine.unlabelled > 0)
    context.log(fmt::format("{} rows of the fine split have no label: left out", fine.unlabelled));
  if (std::ranges::all_of(fine.learn.labels,
                          [&](int32_t label) { return label == fine.learn.labels.front(); })) {
    context.log(fmt::format("warning: the {} rows to learn from are all of one class: raise DATA_QUANTITY",
                            fine.learn.rows()));
  }
  const uint64_t seed = hash64(context.name().key(), static_cast<uint64_t>(day.settings.seed));
  MAEIL_ASSIGN(const auto learner, attempt_learner(day, model.predictor->family(), seed));
  store::Document epochs;
  const JudgedRows judged{fine.validation, kValidation};
  MAEIL_ASSIGN(model.predictor, fit_with_epochs(context, *learner, model, fine.learn, judged, epochs));
  MAEIL_ASSIGN(const auto decided, decide(day, *learner, fine.learn, judged, *model.predictor, model.decision,
                                          epochs.back(), false, context));
  model.decision = decided.decision;
  const store::Document& last = decided.metrics;

  TaskOutcome out;
  registry::NewVersion version{.model_name = registry::kClassifier,
                               .hyperparameters = learner->hyperparameters(*model.predictor),
                               .finetuned_from = parent.id,
                               .notes = fmt::format("retraining attempt {} of {}", context.attempt,
                                                    format_date(context.logical_date))};
  version.hyperparameters["finetune_epochs"] = learner->epochs();
  MAEIL_TRY(add_version(day, context, model, "classifier_finetuned", version, out));
  out.message =
      fmt::format("version {} from {}: F1 {} on {} {}", version.version, parent.version,
                  metric_text(metric_of(last, "f1_score")),
                  fine.validation.rows() > 0 ? fine.validation.rows() : fine.learn.rows(),
                  fine.validation.rows() > 0 ? "validation rows" : "rows it learnt from, as they went by");
  out.result = {{"model_id", version.id},
                {"model_version", version.version},
                {"validation_rows", fine.validation.rows()},
                {"validation_f1_score", nullptr},
                {"validation_log_loss", nullptr}};
  if (fine.validation.rows() > 0)
    out.result.update({{"validation_f1_score", last["f1_score"]}, {"validation_log_loss", last["log_loss"]}});
  out.batch.puts.push_back(
      {"training_events", stamped(context, "training_events", training_event(version, epochs))});
  return out;
}

// What follows from how the attempt's model did on the test split.
Result<TaskOutcome> judge_attempt(const Day& day, TaskContext& context, const registry::ModelVersion& version,
                                  store::Document evaluated) {
  TaskOutcome out;
  out.result = std::move(evaluated);
  const store::Document metrics = out.result["metrics"];
  const Judgement judged = judge_evaluated(out.result, day.settings);
  const bool passed = judged.gate == Gate::kPassed, was_judged = judged.gate != Gate::kNotJudged;
  out.message = describe(metrics) + ": " + verdict_text(judged, day.settings);
  out.result["passed"] = passed;
  if (!judged.failure.empty()) out.result["failure"] = judged.failure;
  if (!was_judged) out.result["not_judged"] = not_judged_document(judged);
  out.next = {passed        ? "send_evaluation_results"
              : !was_judged ? "skip_evaluation"
              : context.attempt < day.settings.max_retrain_attempts
                  ? retrain_task(context.attempt + 1, "prepare_retraining_data")
                  : "send_alert"};
  store::Document measured = {
      {"model_id", version.id}, {"dataset_name", "post_finetune_test"}, {"metrics", metrics}};
  if (out.result.contains("comparison")) measured["comparison"] = out.result["comparison"];
  out.batch.puts.push_back(
      {"performance_metrics", stamped(context, "performance_metrics", std::move(measured))});
  const std::string note =
      was_judged ? fmt::format("F1 Score: {}, Threshold: {}, Retry: {}{}", metric_text(judged.f1),
                               day.settings.f1_threshold, context.attempt,
                               judged.failure.empty() ? "" : "; " + judged.failure)
                 : "not judged: " + judged.reason;
  MAEIL_TRY(change_after_verdict(day, context, version, registry::Judged::kAttempt, judged, {note, metrics},
                                 out.batch));
  return out;
}

Result<TaskOutcome> evaluate_finetuned_model(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto tuned,
               result_of(context, kEvaluationDag, retrain_task(context.attempt, "finetune_model")));
  MAEIL_ASSIGN(const auto version, registry::find_version(context.store, tuned.value("model_id", "")));
  // On the days that the model in force was judged on.
  MAEIL_ASSIGN(const auto original, result_of(context, kEvaluationDag, "evaluate_model"));
  Evaluation what{version, "test"};
  MAEIL_ASSIGN(what.dates, dates_of(original, "judged_on"));
  if (compares_attempts(day)) {
    MAEIL_ASSIGN(what.champion, registry::find_version(context.store, original.value("model_id", "")));
    what.must_be_better = day.settings.gate_rule == "lower_bound";
  }
  return evaluate_version(context, day, what, [&](store::Document evaluated) {
    return judge_attempt(day, context, version, std::move(evaluated));
  });
}

}  // namespace

void add_retraining_tasks(const Day& day, dag::TaskTable& table) {
  table[{kEvaluationDag, "prepare_retraining_data"}] = [&day](TaskContext& c) {
    return prepare_retraining_data(day, c);
  };
  table[{kEvaluationDag, "finetune_model"}] = [&day](TaskContext& c) { return finetune_model(day, c); };
  table[{kEvaluationDag, "evaluate_finetuned_model"}] = [&day](TaskContext& c) {
    return evaluate_finetuned_model(day, c);
  };
}

}  // namespace maeil::loop
