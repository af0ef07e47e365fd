#include "database/libpq.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <mutex>

namespace maeil::database {

#define MAEIL_DEFINE(name) decltype(&::name) name = nullptr;
MAEIL_LIBPQ_FUNCTIONS(MAEIL_DEFINE)
#undef MAEIL_DEFINE

Status load_libpq() {
  static std::mutex mutex;
  static bool loaded = false;
  std::lock_guard lock(mutex);
  if (loaded) return {};
  constexpr const char* kLibrary = "libpq.so.5";
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return not_found(fmt::format(
        "DATABASE_URL: the driver of PostgreSQL cannot be loaded ({}): install {} (Debian: libpq5)",
        ::dlerror(), kLibrary));
  }
  const char* missing = nullptr;
#define MAEIL_LOAD(name)                                               \
  name = reinterpret_cast<decltype(&::name)>(::dlsym(library, #name)); \
  if (!name) missing = #name;
  MAEIL_LIBPQ_FUNCTIONS(MAEIL_LOAD)
#undef MAEIL_LOAD
  if (missing) {
    ::dlclose(library);
    return not_found(
        fmt::format("DATABASE_URL: {} has no function {}: install libpq 15 or newer", kLibrary, missing));
  }
  loaded = true;
  return {};
}

}  // namespace maeil::database
