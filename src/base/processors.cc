// Where a control group lies: /proc/self/cgroup names it within its hierarchy, /proc/self/mountinfo says
// which part of the hierarchy is mounted and where. In a container without a cgroup name space the name is
// the host's and the mount shows only the container's part: the mount's own root is then cut off the name.
#include "base/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace maeil {
namespace {

namespace fs = std::filesystem;

struct Mount {
  std::string root, point;  // which part of the hierarchy, and where it is seen
};

// mountinfo writes blanks and backslashes as \040 and the like.
std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size() &&
                       std::all_of(&text[i + 1], &text[i + 4], [](char c) { return c >= '0' && c <= '7'; });
    if (!octal) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

bool lists(const std::string& comma_separated, std::string_view name) {
  std::istringstream words(comma_separated);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == name) return true;
  }
  return false;
}

// Where version 2, or version 1's cpu controller, is mounted.
std::vector<Mount> mounts_of(const fs::path& root, bool version_2) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string word, type, source, options;
    Mount mount;
    fields >> word >> word >> word >> mount.root >> mount.point;  // id, parent, device
    while (fields >> word && word != "-") {
    }
    if (!(fields >> type >> source >> options)) continue;
    if (version_2 ? type != "cgroup2" : type != "cgroup" || !lists(options, "cpu")) continue;
    mounts.push_back({unescaped(mount.root), unescaped(mount.point)});
  }
  return mounts;
}

// "<quota> <period>" as processors; none for "max", -1 or what is no pair of positive numbers.
std::optional<double> quota_from(const std::string& quota, const std::string& period) {
  char* end = nullptr;
  const double of = std::strtod(quota.c_str(), &end), per = std::strtod(period.c_str(), nullptr);
  if (end == quota.c_str() || !(of > 0) || !(per > 0)) return std::nullopt;
  return of / per;
}

std::optional<double> quota_of(const fs::path& group, bool version_2) {
  std::string quota, period;
  if (version_2) {
    std::ifstream(group / "cpu.max") >> quota >> period;
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota_from(quota, period);
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  std::optional<double> tightest;
  const auto take = [&](std::optional<double> quota) {
    if (quota && (!tightest || *quota < *tightest)) tightest = quota;
  };
  // lines of hierarchy:controllers:name; version 2 has no controllers
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'),
                 second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      name = line.substr(second + 1);
    const bool version_2 = controllers.empty();
    if (!version_2 && !lists(controllers, "cpu")) continue;
    for (const Mount& mount : mounts_of(root, version_2)) {
      const fs::path top = root / fs::path(mount.point).relative_path();
      fs::path below = fs::path(name).lexically_relative(mount.root);
      if (below.empty() || *below.begin() == ".." || below == ".") below.clear();
      // The group and every one around it that is mounted.
      for (;; below = below.parent_path()) {
        take(quota_of(top / below, version_2));
        if (below.empty()) break;
      }
    }
  }
  return tightest;
}

int allowed_processors(const fs::path& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int processors = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
  if (const auto quota = cgroup_cpu_quota(root))
    processors = static_cast<int>(std::min<double>(processors, std::ceil(*quota)));
  return std::max(1, processors);
}

}  // namespace maeil
