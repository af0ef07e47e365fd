// Taking in a checkpoint of the Python project: binding its embeddings to features, and what could not be
// bound.
#pragma once

#include <string>

#include "loop/day.h"
#include "model/model_file.h"
#include "prep/feature_map.h"

namespace maeil::loop {

struct BoundModel {
  model::ModelFile model;
  prep::BindReport report;
  std::string reference;  // where imputer and scaler values come from
};

// Reads a checkpoint (model/model_file.h); where it carries no preparation, binds it by `features` (a
// path; "": the dataset's own map) with imputer and scaler values from `reference` (.pkl, .json or .csv; "":
// DISTRIBUTION_MODEL): 100,000 rows sampled with seed 0, or the CSV's rows; what of these could not be read
// is among the model's remarks. kUsage when a reference is needed and none is named.
Result<BoundModel> read_bound_model(const Settings& settings, const table::DatasetSpec& spec,
                                    const std::string& path, const std::string& features,
                                    const std::string& reference);

// Registers it: bytes into the store and below MODEL_SAVE_PATH. Returns the version's document with `unbound`
// in it.
Result<store::Document> import_model(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec, const std::string& path,
                                     const std::string& features, const std::string& reference);

// What `predict`, `evaluate`, `preprocess` and `model logits` take: a version, or a file (bound if it has to
// be).
Result<model::ModelFile> open_model(
    const std::function<Result<std::reference_wrapper<store::Store>>()>& store, const Settings& settings,
    const table::DatasetSpec& spec, const std::string& file_or_version, bool needs_preparation);

}  // namespace maeil::loop
