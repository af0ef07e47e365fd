// Control groups as /proc and /sys show them, laid out below a folder of the test's own.
#include "base/processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <string>

#include "base/threads.h"

namespace maeil {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMountV2 =
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kMountV1 =
    "33 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 25 0:29 / /sys/fs/cgroup/cpuset rw,nosuid shared:11 - cgroup cgroup rw,cpuset\n";

class Cgroups : public ::testing::Test {
 protected:
  Cgroups()
      : root(fs::path(testing::TempDir()) /
             ("cgroups_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(root);
  }
  ~Cgroups() override { fs::remove_all(root); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  double quota() { return cgroup_cpu_quota(root).value_or(-1); }
  fs::path root;
};

TEST_F(Cgroups, VersionTwo) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/user.slice/job.scope\n");
  EXPECT_EQ(quota(), -1) << "no file";
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), -1);
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(Cgroups, TheTightestOfTheGroupsAroundItCounts) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "100000 50000\n");
  write("sys/fs/cgroup/a/other/cpu.max", "1000 100000\n");
  EXPECT_EQ(quota(), 2);
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");  // a container's own name space: the top is the container
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(Cgroups, VersionOne) {
  write("proc/self/mountinfo", kMountV1);
  write("proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), -1);
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3);
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "20000\n");
  EXPECT_EQ(quota(), 0.2);
}

TEST_F(Cgroups, AMountOfTheContainersPartOnly) {
  write("proc/self/mountinfo", "33 25 0:28 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  write("proc/self/cgroup", "4:cpu:/docker/abc/inner\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4);
  write("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.5);
  write("proc/self/cgroup", "4:cpu:/elsewhere\n");
  EXPECT_EQ(quota(), 4) << "a name that the mount does not show: the mount's top";
}

TEST_F(Cgroups, BothVersionsAndABlankInTheMountPoint) {
  write("proc/self/mountinfo",
        std::string(kMountV1) + "40 25 0:30 / /sys/my\\040groups rw - cgroup2 none rw\n");
  write("proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "700000\n");
  write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  write("sys/my groups/b/cpu.max", "600000 100000\n");
  EXPECT_EQ(quota(), 6);
}

TEST_F(Cgroups, WhatIsNoQuotaIsNone) {
  EXPECT_EQ(quota(), -1) << "no /proc at all";
  write("proc/self/mountinfo", std::string("nonsense\n\n29 23 - cgroup2\n") + kMountV2);
  write("proc/self/cgroup", "nonsense\n0::/a\n0:/a\n");
  for (const char* text : {"", "max", "x 100000", "100000", "100000 0", "-5 100000", "nan 100000"}) {
    write("sys/fs/cgroup/a/cpu.max", text);
    EXPECT_EQ(quota(), -1) << text;
  }
}

TEST_F(Cgroups, ProcessorsAreTheFewerOfAffinityAndQuota) {
  write("proc/self/mountinfo", kMountV2);
  write("proc/self/cgroup", "0::/a\n");
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  const int affinity = CPU_COUNT(&set);
  write("sys/fs/cgroup/a/cpu.max", "20000 100000\n");
  EXPECT_EQ(allowed_processors(root), 1);
  write("sys/fs/cgroup/a/cpu.max", "110000 100000\n");
  EXPECT_EQ(allowed_processors(root), std::min(affinity, 2)) << "rounded up";
  write("sys/fs/cgroup/a/cpu.max", "100000000 100000\n");
  EXPECT_EQ(allowed_processors(root), affinity);
}

TEST(Threads, TheDefaultIsWhatIsAllowed) { EXPECT_EQ(thread_count(), allowed_processors()); }

}  // namespace
}  // namespace maeil
