#include "database/libodbc.h"

#include <mutex>

#include "base/shared_library.h"

namespace maeil::database {

#define MAEIL_DEFINE(name) decltype(&::name) name = nullptr;
MAEIL_ODBC_FUNCTIONS(MAEIL_DEFINE)
#undef MAEIL_DEFINE

Status load_odbc() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
#define MAEIL_FUNCTION(name) \
  {#name, [](void* address) { name = reinterpret_cast<decltype(&::name)>(address); }},
  static constexpr LibraryFunction kFunctions[] = {MAEIL_ODBC_FUNCTIONS(MAEIL_FUNCTION)};
#undef MAEIL_FUNCTION
  MAEIL_TRY(load_library({.file = "libodbc.so.2",
                          .what = "DATABASE_URL: ODBC's driver manager",
                          .package = "Debian: libodbc2",
                          .otherwise = "",
                          .shown = "DATABASE_URL: libodbc.so.2",
                          .newer = "unixODBC 2.3 or newer"},
                         kFunctions));
  loaded = true;
  return {};
}

}  // namespace maeil::database
