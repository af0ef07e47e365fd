// A file on its way in: what a name with wildcards means, and that what was changed while it was read is not
// taken.
#include "loop/arriving_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/hash.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(ArrivingFile, WildcardsMeanExactlyOneFile) {
  const store::TempFolder folder;
  const std::string pattern = folder / "rows_2026-11-28_*.csv";
  EXPECT_EQ(files_of(pattern).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(look_at(pattern).value());
  write(folder / "rows_2026-11-28_0815.csv", "a\n1\n");
  EXPECT_THAT(files_of(pattern).value(), ElementsAre(folder / "rows_2026-11-28_0815.csv"));
  write(folder / "rows_2026-11-28_0930.csv", "a\n1\n");
  const auto two = files_of(pattern);
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(two.error().message, HasSubstr("fits 2 files"));
  // A file whose name has such characters is that file.
  write(pattern, "a\n1\n");
  EXPECT_THAT(files_of(pattern).value(), ElementsAre(pattern));
}

TEST(ArrivingFile, TwoLooksDifferWhenItWasWrittenToOrReplaced) {
  const store::TempFolder folder;
  const std::string path = folder / "rows.csv";
  write(path, "a\n1\n");
  const auto first = look_at(path).value();
  EXPECT_TRUE(is_same(*first, *look_at(path).value()));
  std::ofstream(path, std::ios::app) << "2\n";
  EXPECT_FALSE(is_same(*first, *look_at(path).value()));
  write(folder / "other.csv", "a\n9\n");
  std::filesystem::rename(folder / "other.csv", path);
  EXPECT_FALSE(is_same(*first, *look_at(path).value()));
}

TEST(ArrivingFile, ItsBytesAreTakenAsTheyWereAndNothingElseIs) {
  const store::TempFolder folder;
  const std::string path = folder / "rows.csv", text = "a,b\n1,2\n";
  write(path, text);
  const auto taken = take_bytes(path, folder / "scratch");
  ASSERT_TRUE(taken);
  write(path, "");  // a mapping of the file itself would be cut now
  EXPECT_EQ(taken->copy.map()->bytes(), text);
  EXPECT_EQ(taken->sha256, sha256_hex(text));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& [name, said] : {std::pair{folder / "pipe", "pipe"}, {folder / ".", "folder"}}) {
    const auto refused = take_bytes(name, folder / "scratch");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(refused.error().message, HasSubstr(said));
  }
  EXPECT_EQ(take_bytes(folder / "absent", folder / "scratch").error().code, ErrorCode::kNotFound);
}

TEST(ArrivingFile, OneThatGrowsWhileItIsReadIsRefused) {
  const store::TempFolder folder;
  const std::string path = folder / "rows.csv";
  write(path, std::string(64 << 20, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    std::ofstream out(path, std::ios::app);
    while (!stop) out << "1,2\n" << std::flush;
  });
  const auto taken = take_bytes(path, folder / "scratch");
  stop = true;
  writer.join();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(taken.error().message, HasSubstr("was written to while it was read"));
}

}  // namespace
}  // namespace maeil::loop
