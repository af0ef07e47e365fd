// A file of boosted trees, `classifier_<version>.maeil` (docs/formats/maeil_file.md): a zip without
// compression of
//   facts.json   {format: "maeil", format_version: 1, family, sha256 of xgboost.json, preparation, decision,
//                 notes, finetuned_from, finetune_timestamp}
//   xgboost.json the trees as XGBoost's own loaders read them
#pragma once

#include "model/model_file.h"

namespace maeil::model {

// Whether the bytes are such a file, as far as their beginning says: facts.json comes first.
bool is_maeil_file(std::string_view bytes);

// Everything is checked before it is used: sizes, the digest, each tree. kBadInput; errors name the file.
Result<ModelFile> parse_maeil_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec);

}  // namespace maeil::model
