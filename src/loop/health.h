// What `maeil doctor` looks at: each check is one line with what was found and, when it is wrong, what to do.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "store/store.h"

namespace maeil::loop {

enum class Health { kOk, kWarning, kProblem };

struct Finding {
  Health health;
  // "permissions", "disk", "files", "dataset", "lock", "store", "models", "deployment", "distribution model",
  // "database"
  std::string subject;
  std::string text;
  ErrorCode code = ErrorCode::kIo;  // of a problem: whether it may pass (kIo) or a file must be mended first
                                    // (kBadInput, kNotFound)
};

// Changes nothing but a probe file that it removes again. `store` is null when it could not be opened
// (`store_error` says why).
std::vector<Finding> check_health(const Settings& settings, store::Store* store,
                                  const std::string& store_error);

}  // namespace maeil::loop
