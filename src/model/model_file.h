// A model version's file: the model, the fitted preparation that its inputs need, and what people want to
// know about it. Each family has a format of its own (docs/formats/); which one a file is shows in its
// content.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/decision.h"
#include "model/predictor.h"
#include "prep/preparation.h"

namespace maeil::model {

struct ModelFile {
  std::shared_ptr<const Predictor> predictor;
  std::optional<prep::Preparation> preparation;  // absent: a foreign checkpoint, to be bound by loop/import
  // absent: probabilities as the model says them, and argmax (an import, the built-in dataset's recipe)
  std::optional<Decision> decision;
  Json notes = Json::object();  // further metadata: reference, hyperparameters, unbound ...
  // what to tell whoever reads the file: rounded numbers, tensors and reference rows left out; not written
  std::vector<std::string> remarks;
};

// A file of ours, or a checkpoint of a trainer (nn/checkpoint.h) or a safetensors file. Every number of it is
// finite and a network's head, if any, has two classes, else kBadInput. Errors name the file. `heads` is not
// in a plain checkpoint and comes from the settings.
Result<ModelFile> parse_model_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec, int heads);

// P(label = 1) of each row, calibrated where the version has a calibration. Errors: Predictor's.
Result<std::vector<double>> probabilities(const ModelFile& model, const nn::Rows& rows);
Result<std::vector<double>> probabilities(const ModelFile& model, const prep::Prepared& prepared);

// From which of them on a row is decided to be a positive.
double threshold_of(const ModelFile& model);

// The bytes of its file.
Result<std::string> model_file_bytes(const ModelFile& model, const std::optional<std::string>& finetuned_from,
                                     Instant when);

}  // namespace maeil::model
