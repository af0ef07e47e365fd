#include "model/xgboost_library.h"

#include <cstdlib>
#include <mutex>

#include "base/shared_library.h"

namespace maeil::model {

MAEIL_XGBOOST_FUNCTIONS(MAEIL_LIBRARY_DEFINITION)

Status load_xgboost(const char* otherwise) {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
  // OpenMP, which reads this when it is loaded, else lets waiting threads spin: beside other work on the
  // machine 100 trees of 14,000 rows took three to nine times as long.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  static constexpr LibraryFunction kFunctions[] = {MAEIL_XGBOOST_FUNCTIONS(MAEIL_LIBRARY_ENTRY)};
  MAEIL_TRY(load_library({.file = "libxgboost.so.0",
                          .what = "boosted trees: XGBoost, which learns them,",
                          .package = "Debian: libxgboost0",
                          .otherwise = otherwise,
                          .shown = "boosted trees: libxgboost.so.0",
                          .newer = "XGBoost 1.7 or newer"},
                         kFunctions));
  if (XGBSetGlobalConfig(R"({"verbosity":0})") != 0)
    return internal_error(std::string("XGBoost cannot be configured: ") + XGBGetLastError());
  loaded = true;
  return {};
}

}  // namespace maeil::model
