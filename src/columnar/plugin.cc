#include "columnar/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

namespace maeil::columnar {
namespace {

constexpr const char* kLibrary = "libmaeil_arrow.so";
constexpr const char* kVariable = "MAEIL_ARROW_LIBRARY";

Result<const ArrowPlugin*> load(const std::string& path, bool named) {
  std::error_code ignored;
  const auto missing = [&](const std::string& why) {
    return not_found(fmt::format("Parquet and Arrow files need {}: {}{}", kLibrary, why,
                                 named ? fmt::format(" ({})", kVariable) : ""));
  };
  if (!std::filesystem::exists(path, ignored)) {
    return missing(named ? fmt::format("{} is not there", path)
                         : fmt::format("it is not beside maeil in {}: `make arrow` builds it",
                                       std::filesystem::path(path).parent_path().string()));
  }
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return missing(fmt::format("it cannot be loaded: {}: `make arrow` builds it anew", ::dlerror()));
  const auto function = reinterpret_cast<ArrowPluginFunction>(::dlsym(library, kArrowPluginFunction));
  const ArrowPlugin* plugin = function ? function(kArrowPluginVersion) : nullptr;
  if (plugin && plugin->version == kArrowPluginVersion) return plugin;
  ::dlclose(library);
  return missing(fmt::format("{} is of another version of maeil: `make arrow` builds this one's", path));
}

}  // namespace

Result<const ArrowPlugin*> load_plugin(const std::string& file) {
  static std::mutex mutex;
  static const ArrowPlugin* loaded = nullptr;
  std::lock_guard lock(mutex);
  if (loaded) return loaded;
  const char* named = std::getenv(kVariable);
  std::string path = named ? named : "";
  if (path.empty()) {
    std::error_code ignored;
    path = (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / kLibrary).string();
  }
  auto plugin = load(path, named && *named);
  if (!plugin) return with_context(file, std::move(plugin.error()));
  return loaded = *plugin;
}

}  // namespace maeil::columnar
