// A model version's file: parameters, the fitted preparation that its inputs need, and what people want to
// know about it, in one .pth that PyTorch opens with weights_only=True (docs/formats/checkpoint.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "nn/model.h"
#include "prep/preparation.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::registry {

struct ModelFile {
  nn::Parameters parameters;
  std::optional<prep::Preparation> preparation;  // absent: a foreign checkpoint, to be bound by loop/import
  // (C,D): the embedding of a value the model never saw; empty: the tables' means
  std::vector<float> unknown;
  // further metadata: reference, hyperparameters, unbound ...
  store::Document notes = store::Document::object();
  // what to tell whoever reads the file: rounded numbers, tensors and reference rows left out; not written
  std::vector<std::string> remarks;
};

// A checkpoint of ours, of a trainer (nn/checkpoint.h) or a safetensors file. Every number of it is finite
// and its head, if any, has two classes, else kBadInput. Errors name the file. `heads` is not in a plain
// checkpoint and comes from the settings.
Result<ModelFile> parse_model_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec, int heads);

// The bytes of a .pth with the four keys of the contract: model_state_dict, metadata, finetuned_from,
// finetune_timestamp. A bare encoder is written without the `encoder.` prefix. kInternal: a parameter is not
// finite; such a model is not written.
Result<std::string> model_file_bytes(const ModelFile& model, const std::optional<std::string>& finetuned_from,
                                     Instant when);

// Reads a version's bytes from the store, sha256 checked. kBadInput when the file carries no preparation.
Result<ModelFile> load_version(store::Store& store, const ModelVersion& version,
                               const table::DatasetSpec& spec, int heads);

// Puts the bytes into the store as a blob and on this machine at `path`; fills path, file_id and sha256 of
// `version`.
Status save_version(store::Store& store, std::string_view bytes, const std::string& path,
                    NewVersion& version);

}  // namespace maeil::registry
