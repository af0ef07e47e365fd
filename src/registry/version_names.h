// Names of model versions: each is a time, YYYYMMDD_HHMMSS, and belongs to one version of the store.
//
// A name is a document of `version_names` whose _id is made of the name, and which is put only where there is
// none: so of two who want the same second one gets the next. Names in `model_metadata` (the Python project
// wrote there, too) count as taken.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "store/store.h"

namespace maeil::registry {

inline constexpr const char* kNames = "version_names";

// The name of the version that `owner` (a task key) makes: the one it took before, else `instant` or the next
// free second; kept in the store at once, so that a try that failed gets the same when it is repeated. Safe
// against others at the same moment.
Result<std::string> take_version_name(store::Store& store, std::string_view owner, Instant instant);

}  // namespace maeil::registry
