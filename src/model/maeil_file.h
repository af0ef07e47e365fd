// A file of boosted trees or of a scorecard, `classifier_<version>.maeil` (docs/formats/maeil_file.md): a zip
// without compression of
//   facts.json   {format: "maeil", format_version: 1, family, sha256 of the other entry, preparation,
//   decision,
//                 notes, finetuned_from, finetune_timestamp}
//   and the model: xgboost.json, the trees as XGBoost's own loaders read them, or scorecard.json.
#pragma once

#include "model/model_file.h"

namespace maeil::model {

// Whether the bytes are such a file, as far as their beginning says: facts.json comes first.
bool is_maeil_file(std::string_view bytes);

// Everything is checked before it is used: sizes, the digest, each tree or bin. kBadInput; errors name the
// file.
Result<ModelFile> parse_maeil_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec);

// The bytes of a file with this model. REQUIRES: `facts` has a preparation, `family` is one that such files
// have.
Result<std::string> maeil_file_bytes(std::string_view family, const std::string& model,
                                     const FileFacts& facts);

}  // namespace maeil::model
