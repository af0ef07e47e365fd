#include "loop/recipes.h"

#include <fmt/format.h>

#include "model/boosted_trees.h"
#include "model/scorecard_fit.h"

namespace maeil::loop {
namespace {

tl::unexpected<Error> unknown_family(std::string_view family) {
  return usage_error(fmt::format("there is no model family {}: {}, {} and {} are", family,
                                 model::kTabTransformer, model::kBoostedTrees, model::kScorecard));
}

}  // namespace

model::TabTransformerRecipe first_network(const Day& day, int epochs) {
  const Settings& settings = day.settings;
  model::TabTransformerRecipe out;
  out.sizes.width = static_cast<int>(settings.d_model);
  out.sizes.heads = static_cast<int>(settings.nhead);
  out.sizes.layers = static_cast<int>(settings.num_layers);
  out.sizes.feed_forward = static_cast<int>(settings.dim_feedforward);
  out.epochs = epochs;
  out.batch = settings.batch_size;
  out.learning_rate = settings.learning_rate;
  out.dropout = settings.dropout_rate;
  out.seed = out.first_seed = static_cast<uint64_t>(settings.seed);
  return out;
}

Result<std::unique_ptr<model::Learner>> first_learner(const Day& day, std::string_view family, int epochs) {
  if (family == model::kTabTransformer) return model::tab_transformer_learner(first_network(day, epochs));
  if (family == model::kBoostedTrees) return model::boosted_trees_learner({});
  if (family == model::kScorecard) return model::scorecard_learner({});
  return unknown_family(family);
}

Result<std::unique_ptr<model::Learner>> attempt_learner(const Day& day, std::string_view family,
                                                        uint64_t seed) {
  if (family == model::kBoostedTrees) return model::boosted_trees_learner({.rounds = 100, .patience = 15});
  if (family == model::kScorecard) return model::scorecard_learner({});
  if (family != model::kTabTransformer) return unknown_family(family);
  const Settings& settings = day.settings;
  model::TabTransformerRecipe recipe = first_network(day, static_cast<int>(settings.finetune_epochs));
  recipe.batch = settings.finetune_batch_size;
  recipe.learning_rate = settings.finetune_learning_rate;
  recipe.seed = seed;
  return model::tab_transformer_learner(recipe);
}

}  // namespace maeil::loop
