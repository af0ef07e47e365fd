#include "database/libodbc.h"

#include <mutex>

#include "base/shared_library.h"

namespace maeil::database {

MAEIL_ODBC_FUNCTIONS(MAEIL_LIBRARY_DEFINITION)

Status load_odbc() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
  static constexpr LibraryFunction kFunctions[] = {MAEIL_ODBC_FUNCTIONS(MAEIL_LIBRARY_ENTRY)};
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
