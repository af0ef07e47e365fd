#include "base/output_path.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace maeil {
namespace {

namespace fs = std::filesystem;

bool is_in_proc(const fs::path& path) {
  struct statfs system{};
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return ::statfs(folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

}  // namespace

Status check_output_path(const fs::path& path) {
  if (path.empty()) return usage_error("the name of the file to write is empty");
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return usage_error(
        fmt::format("cannot write {}: it is no regular file, and would be replaced by one", path.string()));
  }
  constexpr int kLinks = 40;  // of more the system makes ELOOP
  fs::path at = path;
  for (int i = 0; i < kLinks; ++i) {
    if (is_in_proc(at)) {
      return usage_error(
          fmt::format("cannot write {}: it is a name for an open file, and would be replaced: name a file",
                      path.string()));
    }
    std::error_code none;
    const fs::path target = fs::read_symlink(at, none);
    if (none) break;
    at = target.is_absolute() ? target : at.parent_path() / target;
  }
  return {};
}

}  // namespace maeil
