// The deployed model on this machine: `<models>/deployed` is a symbolic link to
// `<models>/deployments/<version>/`, which holds current_model.pth (or current_model.maeil, by the version's
// format; never both) and current_version.txt.
//
// Deployment is one rename of the link, after everything it will point to is synced: a reader sees the old
// model or the new one, never half of one. Not thread safe against another deployment into the same folder:
// whoever deploys holds the store's lock kDeploymentLock until the registry says so too.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::registry {

inline constexpr const char* kDeploymentLock = "deployment";

// The version that the link names; nullopt when nothing is deployed here. kBadInput when `deployed` is no
// link.
Result<std::optional<std::string>> linked_version(const std::filesystem::path& models);

// `<models>/deployed/current_model.pth`: the version's file while it is deployed.
std::filesystem::path current_file(const std::filesystem::path& models, const ModelVersion& version);

// Puts the version's bytes from the store (sha256 checked) behind the link. Idempotent. Returns
// current_file().
Result<std::string> deploy_files(store::Store& store, const ModelVersion& version,
                                 const std::filesystem::path& models, Instant when);

// Makes this machine's link and files follow the registry, which is the truth: after a crash between the two,
// or after another machine deployed. Returns what was done, "" when nothing had to be. What differs is
// changed under kDeploymentLock only, and left when somebody else holds that (a deployment switches the link
// before the registry knows); whoever comes next finds it. Usually it costs a read of the registry and of one
// file.
Result<std::string> reconcile(store::Store& store, const std::filesystem::path& models);

// Makes sure that `path` holds the version's bytes, taking them from the store when it does not.
Status ensure_local_copy(store::Store& store, const ModelVersion& version, const std::filesystem::path& path);

}  // namespace maeil::registry
