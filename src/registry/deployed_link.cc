#include "registry/deployed_link.h"

#include <fmt/format.h>

#include <system_error>

#include "base/file.h"
#include "base/hash.h"
#include "registry/version_file.h"

namespace maeil::registry {
namespace fs = std::filesystem;

namespace {
std::string file_name(const ModelVersion& version) { return "current_model." + version.format; }

bool has_bytes(const fs::path& path, const std::string& sha256) {
  const auto bytes = read_file(path, kMaxModelBytes);
  return bytes && sha256_hex(*bytes) == sha256;
}

// What the registry says and this machine does not show.
struct Difference {
  ModelVersion deployed;
  std::optional<std::string> linked;
};

Result<std::optional<Difference>> find_difference(store::Store& store, const fs::path& models) {
  MAEIL_ASSIGN(auto linked, linked_version(models));
  MAEIL_ASSIGN(auto deployed, deployed_version(store));
  if (!deployed) return std::nullopt;
  if (linked == deployed->version && has_bytes(current_file(models, *deployed), deployed->sha256))
    return std::nullopt;
  return Difference{std::move(*deployed), std::move(linked)};
}

}  // namespace

fs::path current_file(const fs::path& models, const ModelVersion& version) {
  return models / "deployed" / file_name(version);
}

Result<std::optional<std::string>> linked_version(const fs::path& models) {
  std::error_code error;
  const fs::path link = models / "deployed";
  const auto status = fs::symlink_status(link, error);
  if (status.type() == fs::file_type::not_found) return std::optional<std::string>();
  if (status.type() != fs::file_type::symlink) {
    return bad_input(
        fmt::format("{} is not a symbolic link: move it away (maeil keeps versions in {} and links to one)",
                    link.string(), (models / "deployments").string()));
  }
  const fs::path target = fs::read_symlink(link, error);
  if (error) return io_error(fmt::format("cannot read the link {}: {}", link.string(), error.message()));
  return std::optional(target.filename().string());
}

Status ensure_local_copy(store::Store& store, const ModelVersion& version, const fs::path& path) {
  if (has_bytes(path, version.sha256)) return {};
  MAEIL_ASSIGN(const std::string bytes, version_bytes(store, version));
  return write_file_atomically(path, bytes);
}

Result<std::string> deploy_files(store::Store& store, const ModelVersion& version, const fs::path& models,
                                 Instant when) {
  MAEIL_TRY(linked_version(models));
  const fs::path folder = models / "deployments" / version.version;
  MAEIL_TRY(ensure_local_copy(store, version, folder / file_name(version)));
  MAEIL_TRY(write_file_atomically(
      folder / "current_version.txt",
      fmt::format("Version: {}\nDeployed at: {}\n", version.version, format_instant(when))));
  MAEIL_TRY(sync_directory(folder.parent_path()));

  const fs::path link = models / "deployed";
  MAEIL_ASSIGN(const fs::path fresh, temporary_name(link));
  std::error_code error;
  fs::create_directory_symlink(fs::path("deployments") / version.version, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    return io_error(
        fmt::format("cannot switch {} to version {}: {}", link.string(), version.version, error.message()));
  }
  MAEIL_TRY(sync_directory(models));
  return current_file(models, version).string();
}

Result<std::string> reconcile(store::Store& store, const fs::path& models) {
  MAEIL_ASSIGN(const auto seen, find_difference(store, models));
  if (!seen) return std::string();
  const auto lock = store.lock(kDeploymentLock, "what makes the link follow the registry");
  if (!lock && lock.error().code == ErrorCode::kConflict) return std::string();
  if (!lock) return tl::make_unexpected(lock.error());
  // what was seen may have been half of a deployment
  MAEIL_ASSIGN(const auto difference, find_difference(store, models));
  if (!difference) return std::string();
  MAEIL_TRY(deploy_files(store, difference->deployed, models, now()));
  return fmt::format("{} pointed to {}; the registry says {} is deployed, so it points there again",
                     (models / "deployed").string(), difference->linked.value_or("nothing"),
                     difference->deployed.version);
}

}  // namespace maeil::registry
