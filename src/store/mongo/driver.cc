#include "store/mongo/driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <mutex>

namespace maeil::store::mongo {

#define MAEIL_DEFINE(name) decltype(&::name) name = nullptr;
MAEIL_MONGOC_FUNCTIONS(MAEIL_DEFINE)
#undef MAEIL_DEFINE

namespace {

constexpr const char* kLibrary = "libmongoc-1.0.so.0";
std::mutex mutex;
bool loaded = false;

// Where a container has no /dev/shm the library would warn about its counters on standard error, before its
// log can be turned off; only a tool that maeil does not use reads them.
void turn_off_counters() { ::setenv("MONGOC_DISABLE_SHM", "1", 0); }

}  // namespace

Status load_driver() {
  std::lock_guard lock(mutex);
  if (loaded) return {};
  turn_off_counters();
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return not_found(
        fmt::format("the MongoDB driver cannot be loaded ({}): install {} (Debian: libmongoc-1.0-0), or "
                    "leave MONGODB_URI and "
                    "MONGODB_HOST empty for the embedded store",
                    ::dlerror(), kLibrary));
  }
  const char* missing = nullptr;
#define MAEIL_LOAD(name)                                               \
  name = reinterpret_cast<decltype(&::name)>(::dlsym(library, #name)); \
  if (!name) missing = #name;
  MAEIL_MONGOC_FUNCTIONS(MAEIL_LOAD)
#undef MAEIL_LOAD
  const auto start = reinterpret_cast<decltype(&::mongoc_init)>(::dlsym(library, "mongoc_init"));
  if (missing || !start) {
    ::dlclose(library);
    return not_found(fmt::format("the MongoDB driver {} has no function {}: install libmongoc 1.23 or newer",
                                 kLibrary, missing ? missing : "mongoc_init"));
  }
  start();  // does nothing where the library has started itself
  mongoc_log_set_handler(nullptr, nullptr);
  loaded = true;
  return {};
}

}  // namespace maeil::store::mongo
