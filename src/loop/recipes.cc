#include "loop/recipes.h"

namespace maeil::loop {

model::TabTransformerRecipe first_recipe(const Day& day, int epochs) {
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

model::TabTransformerRecipe attempt_recipe(const Day& day, uint64_t seed) {
  const Settings& settings = day.settings;
  model::TabTransformerRecipe out = first_recipe(day, static_cast<int>(settings.finetune_epochs));
  out.batch = settings.finetune_batch_size;
  out.learning_rate = settings.finetune_learning_rate;
  out.seed = seed;
  return out;
}

}  // namespace maeil::loop
