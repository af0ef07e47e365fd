#include "database/libpq.h"

#include <mutex>

#include "base/shared_library.h"

namespace maeil::database {

MAEIL_LIBPQ_FUNCTIONS(MAEIL_LIBRARY_DEFINITION)

Status load_libpq() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
  static constexpr LibraryFunction kFunctions[] = {MAEIL_LIBPQ_FUNCTIONS(MAEIL_LIBRARY_ENTRY)};
  MAEIL_TRY(load_library({.file = "libpq.so.5",
                          .what = "DATABASE_URL: the driver of PostgreSQL",
                          .package = "Debian: libpq5",
                          .otherwise = "",
                          .shown = "DATABASE_URL: libpq.so.5",
                          .newer = "libpq 15 or newer"},
                         kFunctions));
  loaded = true;
  return {};
}

}  // namespace maeil::database
