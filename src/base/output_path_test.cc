// Names under which nothing may be written, and names that look like them.
#include "base/output_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"

namespace maeil {
namespace {

namespace fs = std::filesystem;

class OutputPath : public testing::Test {
 protected:
  OutputPath() { fs::create_directories(folder_); }
  ~OutputPath() override { fs::remove_all(folder_); }
  // Refused before anything is made, by the check and by whoever writes; what is there stays.
  void refused(const fs::path& path, const char* why) {
    for (const Status& status : {check_output_path(path), write_file_atomically(path, "x")}) {
      ASSERT_FALSE(status) << path;
      EXPECT_EQ(status.error().code, ErrorCode::kUsage) << path;
      EXPECT_NE(status.error().message.find(path.string()), std::string::npos) << status.error().message;
      EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
    }
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("maeil-output-path-" + std::to_string(::getpid()));
};

TEST_F(OutputPath, FoldersDevicesAndPipesAreNotReplaced) {
  const auto pipe = folder_ / "pipe", device = folder_ / "null", full = folder_ / "full";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("/dev/null",
                     device);  // through links of our own: a mistake here must not replace the system's
  fs::create_symlink("/dev/full", full);
  refused(folder_, "no regular file");
  refused(pipe, "no regular file");
  refused(device, "no regular file");
  refused(full, "no regular file");
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_TRUE(fs::is_symlink(device) && fs::is_symlink(full));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_FALSE(check_output_path(""));
}

// As `--out /dev/stdout > file`: the name leads to a regular file, and what would be replaced is the name.
TEST_F(OutputPath, NamesOfOpenFilesAreNotReplaced) {
  const auto file = folder_ / "file", out = folder_ / "stdout", again = folder_ / "again";
  std::ofstream open(file);
  const int descriptor = ::open(file.c_str(), O_RDONLY);
  ASSERT_GE(descriptor, 0);
  const auto name = "/proc/self/fd/" + std::to_string(descriptor);
  fs::create_symlink(name, out);
  fs::create_symlink("stdout", again);
  for (const fs::path& path : {fs::path(name), out, again}) refused(path, "a name for an open file");
  EXPECT_TRUE(fs::is_symlink(out));
  ::close(descriptor);
}

TEST_F(OutputPath, FilesAndLinksToFilesAre) {
  const auto file = folder_ / "file", link = folder_ / "link", dangling = folder_ / "dangling",
             circle = folder_ / "circle";
  std::ofstream(file) << "old";
  fs::create_symlink("file", link);
  fs::create_symlink("nowhere", dangling);
  fs::create_symlink("circle", circle);
  for (const auto& path : {link, dangling, circle, folder_ / "new/folder/file"}) {
    EXPECT_TRUE(check_output_path(path)) << path;
    EXPECT_TRUE(write_file_atomically(path, "new")) << path;
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(path))) << path;
  }
  EXPECT_EQ(read_file(file).value(), "old");  // the link was replaced, not what it names
}

}  // namespace
}  // namespace maeil
