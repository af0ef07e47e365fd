// A version's bytes in the store and on this machine.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/model_file.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::registry {

inline constexpr uint64_t kMaxModelBytes = uint64_t{2} << 30;

// A version's bytes from the store, sha256 checked. kBadInput: it has none, or others.
Result<std::string> version_bytes(store::Store& store, const ModelVersion& version);

// The same, read as a model. kBadInput also when the file carries no preparation.
Result<model::ModelFile> load_version(store::Store& store, const ModelVersion& version,
                                      const table::DatasetSpec& spec, int heads);

// Puts the bytes into the store as a blob and on this machine at `path`; fills path, file_id and sha256 of
// `version`.
Status save_version(store::Store& store, std::string_view bytes, const std::string& path,
                    NewVersion& version);

}  // namespace maeil::registry
