#include "model/tab_transformer.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/instruction_set.h"
#include "model/prior_shift.h"
#include "nn/pretrain.h"

namespace maeil::model {
namespace {

Result<std::vector<double>> probabilities_of(const nn::Scorer& scorer, const nn::Rows& rows) {
  std::vector<float> logits(rows.count * 2);
  MAEIL_TRY(scorer.score(rows, logits));
  std::vector<double> out(rows.count);
  nn::probabilities(logits, out);
  return out;
}

// The tables have moved: unknown values follow their means.
Result<std::shared_ptr<const TabTransformer>> of_training(nn::Parameters trained) {
  auto made = TabTransformer::make(std::move(trained));
  if (made) return made;
  return fail(ErrorCode::kFailed,
              made.error().message + ": this model is not saved; train it with a smaller LEARNING_RATE");
}

class TabTransformerLearner final : public Learner {
 public:
  explicit TabTransformerLearner(TabTransformerRecipe recipe) : recipe_(std::move(recipe)) {}

  std::string_view family() const override { return kTabTransformer; }
  int epochs() const override { return recipe_.epochs; }
  prep::Preparation preparation_of(prep::Preparation fitted) const override { return fitted; }

  Json hyperparameters(const Predictor& made) const override {
    Json out = made.hyperparameters();
    const auto* transformer = dynamic_cast<const TabTransformer*>(&made);
    out.update({{"dropout_rate", recipe_.dropout},
                {"batch_size", recipe_.batch},
                {"learning_rate", recipe_.learning_rate}});
    if (transformer)
      out["instruction_set"] = kernels::instruction_set(transformer->parameters().shape.encoder());
    return out;
  }

  Result<double> prior_weight(const Samples& learn) const override {
    const auto positives = static_cast<uint64_t>(std::ranges::count(learn.labels, 1));
    const uint64_t negatives = learn.rows() - positives;
    const double balanced =
        static_cast<double>(negatives) / static_cast<double>(std::max<uint64_t>(1, positives));
    return prior_weight_of_batches(balanced, negatives, positives, static_cast<size_t>(recipe_.batch));
  }

  Result<std::shared_ptr<const Predictor>> fit(const prep::Preparation& preparation, const Samples& learn,
                                               const Samples& judged, const Predictor* start,
                                               const FitCallbacks& callbacks) const override {
    nn::TrainOptions options = {.epochs = recipe_.epochs,
                                .batch = static_cast<size_t>(recipe_.batch),
                                .learning_rate = static_cast<float>(recipe_.learning_rate),
                                .dropout = static_cast<float>(recipe_.dropout),
                                .seed = recipe_.seed};
    nn::Parameters parameters;
    if (start) {
      MAEIL_ASSIGN(const TabTransformer& from, as_tab_transformer(*start, "the model to go on from"));
      parameters = from.parameters();
      options.unknown_embeddings = from.unknown();
    } else {
      const nn::ModelShape shape = shape_for(recipe_.sizes, preparation);
      MAEIL_TRY(nn::check_shape(shape));
      MAEIL_ASSIGN(parameters, nn::initial_parameters(shape, recipe_.first_seed));
    }
    const nn::TrainCallbacks during = {
        .progress =
            [&](int epoch, size_t done, size_t total) {
              return callbacks.progress ? callbacks.progress(epoch, options.epochs, done, total) : Status{};
            },
        .epoch = [&](int epoch, const nn::EpochResult& result) -> Status {
          if (!callbacks.epoch) return {};
          std::vector<double> probabilities(learn.rows());
          if (judged.rows() > 0) {
            MAEIL_ASSIGN(const auto scorer, nn::Scorer::make(result.parameters, options.unknown_embeddings));
            MAEIL_ASSIGN(probabilities, probabilities_of(scorer, judged.view().rows));
          } else {
            nn::probabilities(result.logits, probabilities);
          }
          return callbacks.epoch({epoch, options.epochs, result.mean_loss, probabilities});
        }};
    MAEIL_ASSIGN(auto trained, nn::train_classifier(std::move(parameters), learn.view(), options, during));
    trained.has_head = true;
    return of_training(std::move(trained));
  }

 private:
  TabTransformerRecipe recipe_;
};

}  // namespace

Result<std::shared_ptr<const TabTransformer>> TabTransformer::make(nn::Parameters parameters,
                                                                   std::vector<float> unknown) {
  MAEIL_ASSIGN(auto scorer, nn::Scorer::make(std::move(parameters), unknown));
  return std::shared_ptr<const TabTransformer>(new TabTransformer(std::move(scorer), std::move(unknown)));
}

Json TabTransformer::hyperparameters() const {
  const nn::ModelShape& shape = parameters().shape;
  return {{"d_model", shape.width},
          {"nhead", shape.heads},
          {"num_layers", shape.layers},
          {"dim_feedforward", shape.feed_forward},
          {"final_hidden", shape.head_hidden},
          {"num_categorical_features", shape.cardinalities.size()},
          {"num_numerical_features", shape.numeric}};
}

Status TabTransformer::check_scores(const std::string& name) const {
  if (parameters().has_head) return {};
  return bad_input(
      fmt::format("{} is an encoder without a head (fc), so it has no scores: train a classifier from it "
                  "with `maeil train --train`",
                  name));
}

Result<std::vector<double>> TabTransformer::probabilities(const nn::Rows& rows) const {
  return probabilities_of(scorer_, rows);
}

Result<Contributions> TabTransformer::contributions(const nn::Rows&) const {
  return internal_error("not merged yet");
}

Result<std::reference_wrapper<const TabTransformer>> as_tab_transformer(const Predictor& predictor,
                                                                        const std::string& name) {
  if (const auto* found = dynamic_cast<const TabTransformer*>(&predictor)) return std::cref(*found);
  return bad_input(fmt::format("{} is of the family {}, not {}", name, predictor.family(), kTabTransformer));
}

nn::ModelShape shape_for(nn::ModelShape sizes, const prep::Preparation& preparation) {
  sizes.cardinalities.clear();
  for (const auto& feature : preparation.categorical) sizes.cardinalities.push_back(feature.cardinality);
  sizes.numeric = static_cast<int>(preparation.numeric.size());
  return sizes;
}

std::unique_ptr<Learner> tab_transformer_learner(TabTransformerRecipe recipe) {
  return std::make_unique<TabTransformerLearner>(std::move(recipe));
}

Result<std::shared_ptr<const TabTransformer>> pretrain(const TabTransformerRecipe& recipe, double temperature,
                                                       const prep::Preparation& preparation,
                                                       const Samples& rows, const FitCallbacks& callbacks) {
  const nn::ModelShape shape = shape_for(recipe.sizes, preparation);
  MAEIL_TRY(nn::check_shape(shape));
  MAEIL_ASSIGN(auto parameters, nn::initial_parameters(shape, recipe.first_seed));
  const nn::PretrainOptions options = {.epochs = recipe.epochs,
                                       .batch = static_cast<size_t>(recipe.batch),
                                       .learning_rate = static_cast<float>(recipe.learning_rate),
                                       .dropout = static_cast<float>(recipe.dropout),
                                       .temperature = temperature,
                                       .seed = recipe.seed};
  const nn::TrainCallbacks during = {
      .progress =
          [&](int epoch, size_t done, size_t total) {
            return callbacks.progress ? callbacks.progress(epoch, options.epochs, done, total) : Status{};
          },
      .epoch =
          [&](int epoch, const nn::EpochResult& result) {
            return callbacks.epoch ? callbacks.epoch({epoch, options.epochs, result.mean_loss}) : Status{};
          }};
  MAEIL_ASSIGN(auto pretrained,
               nn::pretrain_encoder(std::move(parameters), rows.view().rows, options, during));
  pretrained.parameters.has_head = false;
  return of_training(std::move(pretrained.parameters));
}

}  // namespace maeil::model
