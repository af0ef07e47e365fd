#include "loop/training.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/hash.h"
#include "kernels/instruction_set.h"
#include "loop/evaluation.h"
#include "loop/source.h"
#include "loop/tasks.h"
#include "nn/pretrain.h"
#include "prep/fit.h"
#include "prep/split.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;

// Reference rows are drawn with a seed of their own, so that no day's rows are among them.
uint64_t reference_seed(const Day& day) { return hash64("reference", static_cast<uint64_t>(day.settings.seed)); }

struct Reference {
  Source source;
  Samples learn, held_out;
};

Result<Source> reference_source(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(Source source, open_source({.distribution_model = day.settings.distribution_model}));
  if (!source.warning.empty()) context.log("warning: " + source.warning);
  return source;
}

Result<prep::Preparation> fit_reference(const Day& day, const TrainingPlan& plan, const Source& source, TaskContext& context) {
  prep::Fitter fitter(day.spec);
  MAEIL_TRY(read_typed_rows(
      source, day.spec, context.logical_date, static_cast<uint64_t>(plan.rows), reference_seed(day),
      [&](const Table& chunk) -> Status {
        fitter.add(chunk);
        return {};
      },
      [&](uint64_t done) { context.progress("reference rows", done, static_cast<uint64_t>(plan.rows)); }));
  return fitter.fit();
}

// The reference rows through `preparation`: made again rather than kept, since they cost less than their memory.
Status read_reference(const Day& day, const TrainingPlan& plan, const Source& source, const prep::Preparation& preparation,
                      TaskContext& context, Samples& learn, Samples& held_out) {
  uint64_t row = 0;
  return read_typed_rows(source, day.spec, context.logical_date, static_cast<uint64_t>(plan.rows), reference_seed(day),
                         [&](const Table& chunk) -> Status {
                           const prep::Prepared prepared = prep::transform(day.spec, preparation, chunk);
                           const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
                           for (size_t i = 0; i < prepared.rows; ++i) {
                             const bool held = prep::split_of(reference_seed(day), context.logical_date, row++) == prep::Split::kTest;
                             Samples& to = held ? held_out : learn;
                             to.codes.insert(to.codes.end(), prepared.codes.begin() + i * C, prepared.codes.begin() + (i + 1) * C);
                             to.numbers.insert(to.numbers.end(), prepared.numbers.begin() + i * N, prepared.numbers.begin() + (i + 1) * N);
                             to.labels.push_back(prepared.labels[i] == 1);
                           }
                           return {};
                         });
}

nn::ModelShape shape_for(const Day& day, const prep::Preparation& preparation) {
  nn::ModelShape shape;
  for (const auto& f : preparation.categorical) shape.cardinalities.push_back(f.cardinality);
  shape.numeric = static_cast<int>(preparation.numeric.size());
  shape.width = static_cast<int>(day.settings.d_model);
  shape.heads = static_cast<int>(day.settings.nhead);
  shape.layers = static_cast<int>(day.settings.num_layers);
  shape.feed_forward = static_cast<int>(day.settings.dim_feedforward);
  return shape;
}

store::Document reference_note(const Day& day, const TrainingPlan& plan, const Source& source, TaskContext& context) {
  return {{"source", source.description}, {"rows", plan.rows}, {"seed", day.settings.seed}, {"logical_date", format_date(context.logical_date)}};
}

nn::TrainCallbacks progress_callbacks(TaskContext& context, std::string what, int epochs) {
  nn::TrainCallbacks callbacks;
  callbacks.progress = [&context, what = std::move(what), epochs](int epoch, size_t done, size_t total) -> Status {
    context.progress(fmt::format("{} {}/{}", what, epoch + 1, epochs), done, total);
    return {};
  };
  return callbacks;
}

}  // namespace

Status add_version(const Day& day, TaskContext& context, const registry::ModelFile& model, const char* file_prefix,
                   registry::NewVersion& version, TaskOutcome& out) {
  const Instant when = now();
  MAEIL_ASSIGN(version.version, registry::take_version_name(context.store, context.task_key(), when));
  version.id = store::task_object_id(context.task_key(), registry::kCollection, 0);
  MAEIL_ASSIGN(const std::string bytes, registry::model_file_bytes(model, version.finetuned_from, when));
  const auto path = std::filesystem::path(day.settings.model_save_path) / fmt::format("{}_{}.pth", file_prefix, version.version);
  MAEIL_TRY(registry::save_version(context.store, bytes, path.string(), version));
  out.batch.puts.push_back({registry::kCollection, stamped(context, registry::kCollection, registry::make_version_document(version, when))});
  return {};
}

store::Document hyperparameters_of(const Day& day, const nn::ModelShape& shape) {
  return {{"d_model", shape.width},
          {"nhead", shape.heads},
          {"num_layers", shape.layers},
          {"dim_feedforward", shape.feed_forward},
          {"final_hidden", shape.head_hidden},
          {"dropout_rate", day.settings.dropout_rate},
          {"num_categorical_features", shape.cardinalities.size()},
          {"num_numerical_features", shape.numeric},
          {"instruction_set", kernels::instruction_set(shape.encoder())}};
}

store::Document training_event(const registry::NewVersion& version, const store::Document& epochs) {
  return {{"event_type", "training_complete"}, {"model_id", version.id}, {"model_path", version.path}, {"status", "completed"}, {"epochs", epochs},
          {"instruction_set", version.hyperparameters.value("instruction_set", "")}};
}

namespace {

Result<store::Document> epoch_document(double loss, const std::vector<double>& probabilities, const std::vector<int32_t>& labels) {
  MAEIL_ASSIGN(const auto m, metrics::classification_metrics(probabilities, std::vector<uint8_t>(labels.begin(), labels.end())));
  return store::Document{{"loss", loss}, {"accuracy", m.accuracy}, {"roc_auc", m.roc_auc ? store::Document(*m.roc_auc) : store::Document()}, {"f1_score", m.f1_score}};
}

}  // namespace

Result<nn::Parameters> train_with_epochs(TaskContext& context, const registry::ModelFile& model, const Samples& samples, const Samples* held_out,
                                         const nn::TrainOptions& options, store::Document& epochs) {
  epochs = store::Document::array();
  const Samples& judged = held_out ? *held_out : samples;
  nn::TrainCallbacks callbacks = progress_callbacks(context, "train, epoch", options.epochs);
  callbacks.epoch = [&](int epoch, const nn::EpochResult& result) -> Status {
    std::vector<double> probabilities(judged.rows());
    if (held_out || epoch + 1 == options.epochs) {
      MAEIL_ASSIGN(const auto scorer, nn::Scorer::make(result.parameters, model.unknown));
      MAEIL_ASSIGN(probabilities, predict_default(scorer, judged.view().rows));
    } else {
      nn::probabilities(result.logits, probabilities);
    }
    MAEIL_ASSIGN(auto document, epoch_document(result.mean_loss, probabilities, judged.labels));
    context.log(fmt::format("epoch {}/{}: loss {:.4f}, F1 {:.4f}, AUC {}", epoch + 1, options.epochs, result.mean_loss, document["f1_score"].get<double>(),
                            document["roc_auc"].is_null() ? "undefined" : fmt::format("{:.4f}", document["roc_auc"].get<double>())));
    epochs.push_back(std::move(document));
    return {};
  };
  return nn::train_classifier(model.parameters, samples.view(), options, callbacks);
}

Result<TaskOutcome> pretrain_encoder(const Day& day, const TrainingPlan& plan, TaskContext& context) {
  MAEIL_ASSIGN(const Source source, reference_source(day, context));
  registry::ModelFile model;
  MAEIL_ASSIGN(model.preparation, fit_reference(day, plan, source, context));
  TrainingPlan part = plan;
  part.rows = std::min(plan.rows, plan.pretrain_rows);
  Samples learn, held_out;
  MAEIL_TRY(read_reference(day, part, source, *model.preparation, context, learn, held_out));
  const nn::ModelShape shape = shape_for(day, *model.preparation);
  MAEIL_TRY(nn::check_shape(shape));
  MAEIL_ASSIGN(auto parameters, nn::initial_parameters(shape, static_cast<uint64_t>(day.settings.seed)));

  nn::PretrainOptions options;
  options.epochs = plan.pretrain_epochs;
  options.batch = static_cast<size_t>(day.settings.batch_size);
  options.learning_rate = static_cast<float>(day.settings.learning_rate);
  options.dropout = static_cast<float>(day.settings.dropout_rate);
  options.temperature = day.settings.temperature;
  options.seed = static_cast<uint64_t>(day.settings.seed);
  auto epochs = store::Document::array();
  auto callbacks = progress_callbacks(context, "pretrain, epoch", options.epochs);
  callbacks.epoch = [&](int epoch, const nn::EpochResult& result) -> Status {
    context.log(fmt::format("epoch {}/{}: NT-Xent loss {:.4f}", epoch + 1, options.epochs, result.mean_loss));
    epochs.push_back({{"loss", result.mean_loss}, {"accuracy", nullptr}, {"roc_auc", nullptr}, {"f1_score", nullptr}});
    return {};
  };
  MAEIL_ASSIGN(auto pretrained, nn::pretrain_encoder(std::move(parameters), learn.view().rows, options, callbacks));
  model.parameters = std::move(pretrained.parameters);
  model.parameters.has_head = false;
  model.notes["reference"] = reference_note(day, plan, source, context);

  TaskOutcome out;
  registry::NewVersion version{.model_name = registry::kEncoder, .hyperparameters = hyperparameters_of(day, shape),
                               .notes = fmt::format("pretrained on {} rows from {}, {} epochs", learn.rows(), source.description, options.epochs)};
  version.hyperparameters["pretrain_epochs"] = options.epochs;
  MAEIL_TRY(add_version(day, context, model, "pretrained_encoder", version, out));
  out.batch.puts.push_back({"training_events", stamped(context, "training_events", training_event(version, epochs))});
  out.message = fmt::format("encoder {}: {}", version.version, version.notes);
  out.result = {{"model_id", version.id}, {"model_version", version.version}};
  return out;
}

Result<TaskOutcome> train_classifier(const Day& day, const TrainingPlan& plan, const std::string& encoder_id, TaskContext& context) {
  MAEIL_ASSIGN(const Source source, reference_source(day, context));
  registry::ModelFile model;
  if (encoder_id.empty()) {
    MAEIL_ASSIGN(model.preparation, fit_reference(day, plan, source, context));
    const nn::ModelShape shape = shape_for(day, *model.preparation);
    MAEIL_TRY(nn::check_shape(shape));
    MAEIL_ASSIGN(model.parameters, nn::initial_parameters(shape, static_cast<uint64_t>(day.settings.seed)));
  } else {
    MAEIL_ASSIGN(const auto encoder, registry::find_version(context.store, encoder_id));
    MAEIL_ASSIGN(model, registry::load_version(context.store, encoder, day.spec, static_cast<int>(day.settings.nhead)));
    context.log(fmt::format("starting from encoder {}", encoder.version));
  }
  Samples learn, held_out;
  MAEIL_TRY(read_reference(day, plan, source, *model.preparation, context, learn, held_out));

  nn::TrainOptions options;
  options.epochs = plan.epochs;
  options.batch = static_cast<size_t>(day.settings.batch_size);
  options.learning_rate = static_cast<float>(day.settings.learning_rate);
  options.dropout = static_cast<float>(day.settings.dropout_rate);
  options.seed = static_cast<uint64_t>(day.settings.seed);
  store::Document epochs;
  MAEIL_ASSIGN(auto trained, train_with_epochs(context, model, learn, &held_out, options, epochs));
  model.parameters = std::move(trained);
  model.parameters.has_head = true;
  model.unknown.clear();
  model.notes["reference"] = reference_note(day, plan, source, context);

  TaskOutcome out;
  registry::NewVersion version{.model_name = registry::kClassifier, .hyperparameters = hyperparameters_of(day, model.parameters.shape),
                               .metrics = epochs.back(),
                               .notes = fmt::format("trained on {} rows from {}, {} epochs", learn.rows(), source.description, options.epochs)};
  version.hyperparameters.update({{"epochs", options.epochs}, {"batch_size", options.batch}, {"learning_rate", day.settings.learning_rate}});
  MAEIL_TRY(add_version(day, context, model, "classifier", version, out));
  out.batch.puts.push_back({"training_events", stamped(context, "training_events", training_event(version, epochs))});
  out.message = fmt::format("classifier {}: {}, F1 {:.4f} on {} held-out rows", version.version, version.notes,
                            epochs.back()["f1_score"].get<double>(), held_out.rows());
  out.result = {{"model_id", version.id}, {"model_version", version.version}, {"metrics", epochs.back()}};
  return out;
}

dag::DagSpec first_day_dag() {
  return {kFirstDayDag, "Trains the first model when there is none", {
      {.id = "pretrain_encoder", .retries = 1, .description = "contrastive pretraining on reference rows"},
      {.id = "train_classifier", .upstream = {"pretrain_encoder"}, .retries = 1, .description = "the first classifier"}}};
}

void add_training_tasks(const Day& day, dag::TaskTable& table) {
  table[{kFirstDayDag, "pretrain_encoder"}] = [&day](TaskContext& context) { return pretrain_encoder(day, TrainingPlan{}, context); };
  table[{kFirstDayDag, "train_classifier"}] = [&day](TaskContext& context) -> Result<TaskOutcome> {
    MAEIL_ASSIGN(const auto encoder, result_of(context, kFirstDayDag, "pretrain_encoder"));
    return train_classifier(day, TrainingPlan{}, encoder.value("model_id", ""), context);
  };
}

}  // namespace maeil::loop
