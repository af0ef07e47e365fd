// How many processors this process may use: what it may run on, and what its control groups let it consume.
#pragma once

#include <filesystem>
#include <optional>

namespace maeil {

// The tightest CPU quota of this process's control group and the groups around it, in processors (1.5: one
// and a half); none when there is no quota or nothing can be read. Both hierarchies are read: version 2's
// cpu.max and version 1's cpu.cfs_quota_us. `root` holds proc/self/cgroup, proc/self/mountinfo and what is
// mounted; "/" but in tests. Source of the formats: Linux, Documentation/admin-guide/cgroup-v2.rst,
// cgroup-v1/cgroups.rst, scheduler/sched-bwc.rst; proc(5).
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

// min(processors of sched_getaffinity, the quota rounded up), at least 1. A fraction is rounded up: less
// would leave it unused.
int allowed_processors(const std::filesystem::path& root = "/");

}  // namespace maeil
