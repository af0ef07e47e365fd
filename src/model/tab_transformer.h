// The TabTransformer (nn/) as a model family.
#pragma once

#include <memory>
#include <vector>

#include "model/predictor.h"
#include "nn/score.h"
#include "nn/train.h"

namespace maeil::model {

class TabTransformer final : public Predictor {
 public:
  // `unknown` (C, D): the embedding of a value the model never saw; empty: the tables' means. kBadInput: a
  // parameter or an unknown value's embedding is not finite.
  static Result<std::shared_ptr<const TabTransformer>> make(nn::Parameters parameters,
                                                            std::vector<float> unknown = {});
  const nn::Parameters& parameters() const { return scorer_.parameters(); }
  const nn::Scorer& scorer() const { return scorer_; }
  const std::vector<float>& unknown() const { return unknown_; }  // as given

  std::string_view family() const override { return kTabTransformer; }
  std::string_view file_extension() const override { return ".pth"; }
  Json hyperparameters() const override;
  Status check_scores(const std::string& name) const override;
  Result<std::vector<double>> probabilities(const nn::Rows& rows) const override;
  Result<Contributions> contributions(const nn::Rows& rows) const override;
  Result<std::string> file_bytes(const FileFacts& facts) const override;

 private:
  TabTransformer(nn::Scorer scorer, std::vector<float> unknown)
      : scorer_(std::move(scorer)), unknown_(std::move(unknown)) {}

  nn::Scorer scorer_;
  std::vector<float> unknown_;
};

// kBadInput: `predictor`, which errors call `name`, is of another family.
Result<std::reference_wrapper<const TabTransformer>> as_tab_transformer(const Predictor& predictor,
                                                                        const std::string& name);

// The sizes of an encoder for the features of a preparation; `sizes` says all but those.
nn::ModelShape shape_for(nn::ModelShape sizes, const prep::Preparation& preparation);

// Weighted cross entropy, dropout, Adam (nn/train.h), with balanced class weights.
struct TabTransformerRecipe {
  nn::ModelShape sizes;  // of a model from nothing
  int epochs = 3;
  int64_t batch = 16;
  double learning_rate = 1e-4, dropout = 0.3;
  uint64_t seed = 42;        // of shuffling and dropout
  uint64_t first_seed = 42;  // of the parameters of a model from nothing
};
std::unique_ptr<Learner> tab_transformer_learner(TabTransformerRecipe recipe);

// An encoder without a head, from nothing, by contrast (nn/pretrain.h); epochs have no probabilities. Errors:
// check_shape's, pretrain_encoder's.
Result<std::shared_ptr<const TabTransformer>> pretrain(const TabTransformerRecipe& recipe, double temperature,
                                                       const prep::Preparation& preparation,
                                                       const Samples& rows, const FitCallbacks& callbacks);

}  // namespace maeil::model
