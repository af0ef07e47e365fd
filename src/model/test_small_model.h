// The smallest network that a dataset can have, its dataset spec and its preparation. Only for tests.
#pragma once

#include "nn/model.h"
#include "prep/preparation.h"
#include "table/dataset_spec.h"

namespace maeil::model {

inline const table::DatasetSpec& small_spec() {
  static const table::DatasetSpec made = table::parse_dataset_spec(R"(name = "small"
columns = [ { name = "grade", type = "text" }, { name = "rate", type = "number" },
            { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                                                   "small.toml")
                                             .value();
  return made;
}

inline nn::Parameters small_parameters(uint64_t seed = 4) {
  nn::ModelShape shape;
  shape.cardinalities = {3};
  shape.numeric = 1, shape.width = 8, shape.heads = 2, shape.layers = 2, shape.feed_forward = 12,
  shape.head_hidden = 10;
  return nn::initial_parameters(shape, seed).value();
}

inline prep::Preparation small_preparation() {
  prep::Preparation out;
  out.dataset = "small";
  out.categorical = {{"grade", "grade", false, {"A", "B", "C"}, 3}};
  out.numeric = {{"rate", 1, 2, 3, 0, 9}};
  return out;
}

}  // namespace maeil::model
