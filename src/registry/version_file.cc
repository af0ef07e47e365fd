#include "registry/version_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"

namespace maeil::registry {

Result<std::string> version_bytes(store::Store& store, const ModelVersion& version) {
  if (version.file_id.empty()) {
    return bad_input(fmt::format("version {} has no bytes in {}: import its file with `maeil model import`",
                                 version.version, store.description()));
  }
  MAEIL_ASSIGN(std::string bytes, store.read_whole_blob(version.file_id, kMaxModelBytes));
  if (sha256_hex(bytes) != version.sha256) {
    return bad_input(
        fmt::format("the bytes of version {} in {} do not match their sha256: restore a backup of the store",
                    version.version, store.description()));
  }
  return bytes;
}

Result<model::ModelFile> load_version(store::Store& store, const ModelVersion& version,
                                      const table::DatasetSpec& spec, int heads) {
  MAEIL_ASSIGN(const std::string bytes, version_bytes(store, version));
  MAEIL_ASSIGN(model::ModelFile model,
               model::parse_model_file(bytes, fmt::format("version {}", version.version), spec, heads));
  if (!model.preparation) {
    return bad_input(fmt::format(
        "version {} carries no preparation: import its file with `maeil model import`", version.version));
  }
  return model;
}

Status save_version(store::Store& store, std::string_view bytes, const std::string& path,
                    NewVersion& version) {
  MAEIL_ASSIGN(const auto blob, store.write_blob(std::filesystem::path(path).filename().string(),
                                                 {{"type", "model"}, {"model_version", version.version}}));
  MAEIL_TRY(blob->write(bytes));
  MAEIL_ASSIGN(version.file_id, blob->finish());
  version.sha256 = sha256_hex(bytes);
  version.path = path;
  return write_file_atomically(path, bytes);
}

}  // namespace maeil::registry
