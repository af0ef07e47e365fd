#include "store/mongo/driver.h"

#include <cstdlib>
#include <mutex>

#include "base/shared_library.h"

namespace maeil::store::mongo {

MAEIL_MONGOC_FUNCTIONS(MAEIL_LIBRARY_DEFINITION)

namespace {

std::mutex mutex;
bool loaded = false;
decltype(&::mongoc_init) start = nullptr;  // not of the list: what it does is done here

// Where a container has no /dev/shm the library would warn about its counters on standard error, before its
// log can be turned off; only a tool that maeil does not use reads them.
void turn_off_counters() { ::setenv("MONGOC_DISABLE_SHM", "1", 0); }

}  // namespace

Status load_driver() {
  std::lock_guard lock(mutex);
  if (loaded) return {};
  turn_off_counters();
  static constexpr LibraryFunction kFunctions[] = {MAEIL_MONGOC_FUNCTIONS(MAEIL_LIBRARY_ENTRY){
      "mongoc_init", [](void* address) { start = reinterpret_cast<decltype(start)>(address); }}};
  MAEIL_TRY(load_library({.file = "libmongoc-1.0.so.0",
                          .what = "the MongoDB driver",
                          .package = "Debian: libmongoc-1.0-0",
                          .otherwise = ", or leave MONGODB_URI and MONGODB_HOST empty for the embedded store",
                          .shown = "the MongoDB driver libmongoc-1.0.so.0",
                          .newer = "libmongoc 1.23 or newer"},
                         kFunctions));
  start();  // does nothing where the library has started itself
  mongoc_log_set_handler(nullptr, nullptr);
  loaded = true;
  return {};
}

}  // namespace maeil::store::mongo
