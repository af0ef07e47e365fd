// A TabTransformer's file: one .pth that PyTorch opens with weights_only=True (docs/formats/checkpoint.md),
// with the four keys of the contract: model_state_dict, metadata, finetuned_from, finetune_timestamp. A bare
// encoder is written without the `encoder.` prefix.
#pragma once

#include "model/model_file.h"

namespace maeil::model {

// Also of a trainer's file, or safetensors (nn/checkpoint.h). Errors speak of tensors and keys.
Result<ModelFile> parse_tab_transformer_file(std::string_view bytes, const std::string& file_name,
                                             const table::DatasetSpec& spec, int heads);

}  // namespace maeil::model
