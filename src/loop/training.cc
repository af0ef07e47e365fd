#include "loop/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/dataset_name.h"
#include "loop/decide.h"
#include "loop/evaluation.h"
#include "loop/gate.h"
#include "loop/recipes.h"
#include "loop/reference_rows.h"
#include "loop/register_version.h"
#include "loop/tasks.h"
#include "model/tab_transformer.h"
#include "registry/version_file.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Never the fallback's rows: a day that approves nothing must not leave a model that a later day approves.
Result<std::shared_ptr<const Source>> reference_source(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(Source source, open_source(day_source(day.settings)));
  if (source.fallback) {
    return not_found(
        fmt::format("the distribution model {} does not exist, and no model is trained on the built-in "
                    "portfolio's rows in "
                    "its place (SOURCE_FALLBACK is for a day's rows only): mend DISTRIBUTION_MODEL, or take "
                    "in a model with "
                    "`maeil model import F.pth`",
                    day.settings.distribution_model));
  }
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  return std::make_shared<const Source>(std::move(source));
}

ReferencePlan reference_plan(const Day& day, std::shared_ptr<const Source> source, int64_t rows,
                             const TaskContext& context) {
  return {std::move(source), day.spec, context.logical_date, static_cast<uint64_t>(day.settings.seed),
          static_cast<uint64_t>(rows)};
}

Result<prep::Preparation> fit_with_progress(const Day& day, const LearningRows& rows, TaskContext& context) {
  return fit_preparation(day.spec, rows,
                         [&](uint64_t done) { context.progress("rows to learn from", done, rows.rows); });
}

Result<LearningSamples> read_and_log(const Day& day, const LearningRows& rows,
                                     const prep::Preparation& preparation, TaskContext& context) {
  MAEIL_ASSIGN(auto samples, read_samples(day.spec, rows, preparation));
  if (samples.unlabelled > 0)
    context.log(fmt::format("{} of {} rows of {} have no label: left out of learning and judging",
                            samples.unlabelled, rows.rows, rows.description));
  return samples;
}

bool has_both_classes(const Samples& samples) {
  return std::ranges::find(samples.labels, 0) != samples.labels.end() &&
         std::ranges::find(samples.labels, 1) != samples.labels.end();
}

store::Document reference_note(const LearningRows& rows, const LearningSamples& samples) {
  store::Document note = rows.note;
  note["unlabelled"] = samples.unlabelled;
  return note;
}

// Says how far each epoch is.
model::FitCallbacks progress_callbacks(TaskContext& context, std::string what) {
  return {.progress = [&context, what = std::move(what)](int epoch, int epochs, size_t done,
                                                         size_t total) -> Status {
    context.progress(fmt::format("{}, epoch {}/{}", what, epoch + 1, epochs), done, total);
    return {};
  }};
}

}  // namespace

Status add_version(const Day& day, TaskContext& context, const model::ModelFile& model,
                   const char* file_prefix, registry::NewVersion& version, TaskOutcome& out) {
  const Instant when = now();
  version.id = store::task_object_id(context.task_key(), registry::kCollection, 0);
  MAEIL_TRY(
      write_version(context.store, day.settings, model, context.task_key(), file_prefix, when, version));
  out.batch.puts.push_back({registry::kCollection, stamped(context, registry::kCollection,
                                                           registry::make_version_document(version, when))});
  return {};
}

store::Document training_event(const registry::NewVersion& version, const store::Document& epochs) {
  return {{"event_type", "training_complete"},
          {"model_id", version.id},
          {"model_path", version.path},
          {"status", "completed"},
          {"epochs", epochs},
          {"instruction_set", version.hyperparameters.value("instruction_set", "")}};
}

namespace {

Result<store::Document> epoch_document(double loss, std::span<const double> probabilities,
                                       const std::vector<int32_t>& labels, const char* measured_on) {
  MAEIL_ASSIGN(const auto m, metrics::classification_metrics(
                                 probabilities, std::vector<uint8_t>(labels.begin(), labels.end())));
  const auto optional = [](const std::optional<double>& value) {
    return value ? store::Document(*value) : store::Document();
  };
  return store::Document{{"loss", loss},
                         {"accuracy", m.accuracy},
                         {"roc_auc", optional(m.roc_auc)},
                         {"f1_score", optional(m.f1_score)},
                         {"log_loss", m.log_loss},
                         {"measured_on", measured_on},
                         {"loss_measured_on", kPassingBatches}};
}

}  // namespace

Result<std::shared_ptr<const model::Predictor>> fit_with_epochs(
    TaskContext& context, const model::Learner& learner, const model::ModelFile& model,
    const Samples& samples, const JudgedRows& judged, store::Document& epochs) {
  epochs = store::Document::array();
  const bool has_rows = judged.samples.rows() > 0;
  const Samples& rows = has_rows ? judged.samples : samples;
  const char* measured_on = has_rows ? judged.name : kPassingBatches;
  model::FitCallbacks callbacks = progress_callbacks(context, "train");
  callbacks.epoch = [&](const model::Epoch& epoch) -> Status {
    MAEIL_ASSIGN(auto document, epoch_document(epoch.loss, epoch.probabilities, rows.labels, measured_on));
    context.log(fmt::format("epoch {}/{}: loss {:.4f}; {}: F1 {}, AUC {}", epoch.number + 1, epoch.of,
                            epoch.loss, measured_on, metric_text(metric_of(document, "f1_score")),
                            metric_text(metric_of(document, "roc_auc"))));
    epochs.push_back(std::move(document));
    return {};
  };
  return learner.fit(*model.preparation, samples, judged.samples, model.predictor.get(), callbacks);
}

namespace {

// Judges the finished model on the rows that are kept for that: a document of performance_metrics each, with
// what the gate would say.
Status add_verdicts(const Day& day, const LearningRows& rows, const model::ModelFile& model,
                    const std::string& model_id, TaskContext& context, TaskOutcome& out) {
  MAEIL_ASSIGN(const auto scores, score_parts(day.spec, rows, model, [&](uint64_t done) {
                 context.progress("rows to judge on", done, rows.rows);
               }));
  for (size_t k = 0; k < rows.verdicts.size(); ++k) {
    const char* name = verdict_name(rows.verdicts[k]);
    MAEIL_ASSIGN(auto metrics, evaluate_scores(scores[k], static_cast<uint64_t>(day.settings.seed), name));
    const Judgement judged = judge(metrics, day.settings);
    const char* gate = judged.gate == Gate::kPassed   ? "passed"
                       : judged.gate == Gate::kFailed ? "failed"
                                                      : "not_judged";
    const auto threshold = day.settings.f1_threshold;
    out.message +=
        fmt::format("\n{}: {}; the gate ({} {}): {}{}", name, describe(metrics), compared_name(day.settings),
                    threshold, gate, judged.reason.empty() ? "" : ", " + judged.reason);
    out.result["verdicts"].push_back({{"dataset_name", name}, {"gate", gate}, {"metrics", metrics}});
    out.batch.puts.push_back({"performance_metrics", stamped(context, "performance_metrics",
                                                             {{"model_id", model_id},
                                                              {"dataset_name", name},
                                                              {"metrics", std::move(metrics)},
                                                              {"gate", gate},
                                                              {"gate_reason", judged.reason},
                                                              {"f1_threshold", threshold}},
                                                             static_cast<int>(k))});
  }
  return {};
}

}  // namespace

Result<TaskOutcome> pretrain_encoder(const Day& day, const TrainingPlan& plan, TaskContext& context) {
  MAEIL_ASSIGN(const auto source, reference_source(day, context));
  const auto some = std::min(plan.rows, plan.pretrain_rows);
  return pretrain_on(day, plan, reference_rows(reference_plan(day, source, plan.rows, context)),
                     reference_rows(reference_plan(day, source, some, context)), context);
}

Result<TaskOutcome> pretrain_on(const Day& day, const TrainingPlan& plan, const LearningRows& all,
                                const LearningRows& some, TaskContext& context) {
  model::ModelFile model;
  MAEIL_ASSIGN(model.preparation, fit_with_progress(day, all, context));
  MAEIL_ASSIGN(const LearningSamples rows, read_and_log(day, some, *model.preparation, context));
  const auto recipe = first_network(day, plan.pretrain_epochs);
  auto epochs = store::Document::array();
  auto callbacks = progress_callbacks(context, "pretrain");
  callbacks.epoch = [&](const model::Epoch& epoch) -> Status {
    context.log(fmt::format("epoch {}/{}: NT-Xent loss {:.4f}", epoch.number + 1, epoch.of, epoch.loss));
    epochs.push_back({{"loss", epoch.loss},
                      {"accuracy", nullptr},
                      {"roc_auc", nullptr},
                      {"f1_score", nullptr},
                      {"loss_measured_on", kPassingBatches}});
    return {};
  };
  MAEIL_ASSIGN(model.predictor,
               model::pretrain(recipe, day.settings.temperature, *model.preparation, rows.learn, callbacks));
  model.notes["reference"] = reference_note(all, rows);

  TaskOutcome out;
  registry::NewVersion version{
      .model_name = registry::kEncoder,
      .hyperparameters = model::tab_transformer_learner(recipe)->hyperparameters(*model.predictor),
      .notes = fmt::format("pretrained on {} rows from {}, {} epochs", rows.learn.rows(), all.description,
                           recipe.epochs)};
  version.hyperparameters["pretrain_epochs"] = recipe.epochs;
  MAEIL_TRY(add_version(day, context, model, "pretrained_encoder", version, out));
  out.batch.puts.push_back(
      {"training_events", stamped(context, "training_events", training_event(version, epochs))});
  out.message = fmt::format("encoder {}: {}", version.version, version.notes);
  out.result = {{"model_id", version.id}, {"model_version", version.version}};
  return out;
}

Result<LearningRows> rows_to_draw(const Day& day, int64_t rows, TaskContext& context) {
  MAEIL_ASSIGN(const auto source, reference_source(day, context));
  return reference_rows(reference_plan(day, source, rows, context));
}

Result<TaskOutcome> train_classifier(const Day& day, const TrainingPlan& plan, const std::string& encoder_id,
                                     TaskContext& context) {
  MAEIL_ASSIGN(const LearningRows rows, rows_to_draw(day, plan.rows, context));
  MAEIL_ASSIGN(const auto fitted, fit_on(day, plan, rows, model::kTabTransformer, encoder_id, context));
  return register_fitted(day, rows, fitted, "registered", context);
}

Result<FittedClassifier> fit_on(const Day& day, const TrainingPlan& plan, const LearningRows& all,
                                std::string_view family, const std::string& encoder_id,
                                TaskContext& context) {
  FittedClassifier out;
  MAEIL_ASSIGN(out.learner, first_learner(day, family, plan.epochs));
  model::ModelFile& model = out.model;
  if (encoder_id.empty()) {
    MAEIL_ASSIGN(auto fitted, fit_with_progress(day, all, context));
    model.preparation = out.learner->preparation_of(std::move(fitted));
  } else {
    MAEIL_ASSIGN(const auto encoder, registry::find_version(context.store, encoder_id));
    MAEIL_ASSIGN(model, registry::load_version(context.store, encoder, day.spec,
                                               static_cast<int>(day.settings.nhead)));
    context.log(fmt::format("starting from encoder {}", encoder.version));
  }
  MAEIL_ASSIGN(const LearningSamples rows, read_and_log(day, all, *model.preparation, context));
  if (!has_both_classes(rows.learn)) {
    return bad_input(
        fmt::format("the {} rows of {} to learn from are all of one class: a classifier needs both (more "
                    "rows, or another source)",
                    rows.learn.rows(), all.description));
  }
  MAEIL_ASSIGN(model.predictor, fit_with_epochs(context, *out.learner, model, rows.learn,
                                                {rows.held_out, kHeldOut}, out.epochs));
  MAEIL_ASSIGN(auto decided,
               decide(day, *out.learner, rows.learn, {rows.held_out, kHeldOut}, *model.predictor,
                      std::nullopt, out.epochs.back(), plan.compared, context));
  model.decision = std::move(decided.decision);
  out.metrics = std::move(decided.metrics);
  model.notes["reference"] = reference_note(all, rows);
  out.learnt = rows.learn.rows();
  out.held_out = rows.held_out.rows();
  return out;
}

double held_out_loss(const FittedClassifier& fitted) {
  if (fitted.held_out == 0) return INFINITY;
  const auto across = metric_of(fitted.metrics, "cross_validated_log_loss");
  return across ? *across : metric_of(fitted.metrics, "log_loss").value_or(INFINITY);
}

size_t best_of(const std::vector<FittedClassifier>& fitted, const table::DatasetSpec& spec) {
  const bool monotone =
      std::ranges::any_of(spec.columns, [](const auto& column) { return column.monotone != 0; });
  const auto rank = [&](const FittedClassifier& one) {
    return std::pair(monotone && one.learner->family() == model::kTabTransformer, held_out_loss(one));
  };
  return static_cast<size_t>(std::ranges::min_element(fitted, {}, rank) - fitted.begin());
}

Result<TaskOutcome> register_fitted(const Day& day, const LearningRows& all, const FittedClassifier& fitted,
                                    const char* status, TaskContext& context) {
  TaskOutcome out;
  const model::Predictor& predictor = *fitted.model.predictor;
  registry::NewVersion version{.model_name = registry::kClassifier,
                               .status = status,
                               .hyperparameters = fitted.learner->hyperparameters(predictor),
                               .metrics = fitted.metrics,
                               .notes = fmt::format("trained on {} rows from {}, {} epochs", fitted.learnt,
                                                    all.description, fitted.epochs.size())};
  version.hyperparameters["epochs"] = fitted.epochs.size();
  MAEIL_TRY(add_version(day, context, fitted.model, "classifier", version, out));
  out.batch.puts.push_back(
      {"training_events", stamped(context, "training_events", training_event(version, fitted.epochs))});
  out.message = fmt::format("classifier {}: {}, ", version.version, version.notes);
  out.message += fitted.held_out > 0
                     ? fmt::format("F1 {} on {} held-out rows",
                                   metric_text(metric_of(fitted.metrics, "f1_score")), fitted.held_out)
                     : "not judged, since no row was held out";
  out.result = {{"model_id", version.id}, {"model_version", version.version}, {"metrics", fitted.metrics}};
  MAEIL_TRY(add_verdicts(day, all, fitted.model, version.id, context, out));
  return out;
}

dag::DagSpec first_day_dag(const Settings& settings) {
  return {
      name_in_dataset(settings.dataset, kFirstDayDag),
      "Trains the first model when there is none",
      {{.id = "pretrain_encoder", .retries = 1, .description = "contrastive pretraining on reference rows"},
       {.id = "train_classifier",
        .upstream = {"pretrain_encoder"},
        .retries = 1,
        .description = "the first classifier"}}};
}

void add_training_tasks(const Day& day, dag::TaskTable& table) {
  table[{kFirstDayDag, "pretrain_encoder"}] = [&day](TaskContext& context) {
    return pretrain_encoder(day, TrainingPlan{}, context);
  };
  table[{kFirstDayDag, "train_classifier"}] = [&day](TaskContext& context) -> Result<TaskOutcome> {
    MAEIL_ASSIGN(const auto encoder, result_of(context, kFirstDayDag, "pretrain_encoder"));
    return train_classifier(day, TrainingPlan{}, encoder.value("model_id", ""), context);
  };
}

}  // namespace maeil::loop
