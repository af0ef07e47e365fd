// The settings as recipes of the model families.
#pragma once

#include "loop/day.h"
#include "model/tab_transformer.h"

namespace maeil::loop {

// A first model, and its encoder: D_MODEL, NHEAD, NUM_LAYERS, DIM_FEEDFORWARD, BATCH_SIZE, LEARNING_RATE,
// DROPOUT_RATE, SEED.
model::TabTransformerRecipe first_recipe(const Day& day, int epochs);

// A retraining attempt: FINETUNE_EPOCHS, FINETUNE_BATCH_SIZE, FINETUNE_LEARNING_RATE, DROPOUT_RATE. `seed`:
// of the attempt.
model::TabTransformerRecipe attempt_recipe(const Day& day, uint64_t seed);

}  // namespace maeil::loop
