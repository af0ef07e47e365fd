#include "alerting/libcurl.h"

#include <mutex>

#include "base/shared_library.h"

namespace maeil::alerting {

#define MAEIL_DEFINE(name) decltype(&::name) name = nullptr;
MAEIL_CURL_FUNCTIONS(MAEIL_DEFINE)
#undef MAEIL_DEFINE

Status load_curl() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
#define MAEIL_FUNCTION(name) \
  {#name, [](void* address) { name = reinterpret_cast<decltype(&::name)>(address); }},
  static constexpr LibraryFunction kFunctions[] = {MAEIL_CURL_FUNCTIONS(MAEIL_FUNCTION)};
#undef MAEIL_FUNCTION
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
