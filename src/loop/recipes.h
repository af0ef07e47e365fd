// The settings as recipes of the model families.
#pragma once

#include <memory>
#include <string_view>

#include "loop/day.h"
#include "model/tab_transformer.h"

namespace maeil::loop {

// A first TabTransformer, and its encoder: D_MODEL, NHEAD, NUM_LAYERS, DIM_FEEDFORWARD, BATCH_SIZE,
// LEARNING_RATE, DROPOUT_RATE, SEED.
model::TabTransformerRecipe first_network(const Day& day, int epochs);

// Of a first model. `epochs`: of a TabTransformer; trees stop where the held-out rows say so, a scorecard has
// no passes. kUsage names
// the families there are.
Result<std::unique_ptr<model::Learner>> first_learner(const Day& day, std::string_view family, int epochs);

// Of a retraining attempt, which goes on from a model of that family. A TabTransformer by FINETUNE_EPOCHS,
// FINETUNE_BATCH_SIZE, FINETUNE_LEARNING_RATE and DROPOUT_RATE, trees by at most 100 more, a scorecard
// by coefficients fitted anew. `seed`: of the attempt.
Result<std::unique_ptr<model::Learner>> attempt_learner(const Day& day, std::string_view family,
                                                        uint64_t seed);

}  // namespace maeil::loop
