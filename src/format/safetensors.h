// safetensors files: a public format of tensors and nothing else, which Hugging Face's libraries save.
//
// Layout: 8 bytes, little-endian: the header's length N; N bytes of JSON, an object that gives for each
// tensor's name its `dtype`, `shape` and `data_offsets` [begin, end) into what follows, and under
// `__metadata__` texts that are not read; then the elements, row-major, little-endian. The tensors must fill
// what follows without gap or overlap. Source: the format's own description in the project's README.
#pragma once

#include "format/checkpoint.h"

namespace maeil::format {

// Whether the bytes begin as such a file does: a length that fits, then "{".
bool looks_like_safetensors(std::string_view bytes);

// As open_checkpoint, which calls it for files that look so. One dict, at the root; it has no values beside
// its tensors.
[[nodiscard]] Result<std::unique_ptr<CheckpointFile>> open_safetensors(std::string_view bytes,
                                                                       const std::string& name);

}  // namespace maeil::format
