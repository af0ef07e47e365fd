#include "alerting/libcurl.h"

#include <mutex>

#include "base/shared_library.h"

namespace maeil::alerting {

MAEIL_CURL_FUNCTIONS(MAEIL_LIBRARY_DEFINITION)

Status load_curl() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
  static constexpr LibraryFunction kFunctions[] = {MAEIL_CURL_FUNCTIONS(MAEIL_LIBRARY_ENTRY)};
  MAEIL_TRY(load_library({.file = "libcurl.so.4",
                          .what = "alerts: libcurl, which sends them,",
                          .package = "Debian: libcurl4",
                          .otherwise = ", or set ALERT_COMMAND alone",
                          .shown = "alerts: libcurl.so.4",
                          .newer = "libcurl 7.87 or newer"},
                         kFunctions));
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) return internal_error("libcurl cannot be initialised");
  loaded = true;
  return {};
}

}  // namespace maeil::alerting
