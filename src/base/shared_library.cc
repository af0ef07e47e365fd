#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace maeil {

Status load_library(const SharedLibrary& library, std::span<const LibraryFunction> functions) {
  void* const loaded = ::dlopen(library.file, RTLD_NOW | RTLD_LOCAL);
  if (!loaded) {
    return not_found(fmt::format("{} cannot be loaded ({}): install {} ({}){}", library.what, ::dlerror(),
                                 library.file, library.package, library.otherwise));
  }
  for (const auto& [name, set] : functions) {
    void* const address = ::dlsym(loaded, name);
    set(address);
    if (address) continue;
    ::dlclose(loaded);
    return not_found(fmt::format("{} has no function {}: install {}", library.shown, name, library.newer));
  }
  return {};
}

}  // namespace maeil
