// What `maeil prune` takes from this machine's folders: what killed processes left, and nothing else.
#include "loop/retention.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

namespace fs = std::filesystem;

class HalfWrittenFiles : public testing::Test {
 protected:
  HalfWrittenFiles() {
    settings_.data_dir = (folder_ / "data").string();
    settings_.data_path = (folder_ / "data/raw/rows.csv").string();
    settings_.model_save_path = (folder_ / "models").string();
  }

  // Begun by a process that was killed `age` ago.
  fs::path leave(const std::string& path, std::chrono::minutes age) {
    fs::path begun = folder_ / path.c_str();
    fs::create_directories(begun.parent_path());
    store::Child child([&] {
      auto file = AtomicFile::create(begun);
      return file && file->write("half") ? (::raise(SIGKILL), 0) : 1;
    });
    const std::string mark = ".tmp-" + std::to_string(child.pid()) + "-";
    EXPECT_EQ(child.wait(), -SIGKILL);
    for (const auto& entry : fs::directory_iterator(begun.parent_path())) {
      if (entry.path().string().starts_with(begun.string() + mark)) return aged(entry.path(), age);
    }
    ADD_FAILURE() << "nothing was left of " << begun;
    return {};
  }
  static fs::path aged(const fs::path& path, std::chrono::minutes age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
  }
  Pruned pruned(bool dry_run) {
    auto store = store::open_sqlite(folder_ / "maeil.db").value();
    return prune(*store, settings_, std::chrono::floor<std::chrono::days>(now()), dry_run).value();
  }

  store::TempFolder folder_;
  Settings settings_;
};

TEST_F(HalfWrittenFiles, OfKilledProcessesGoFromEveryFolderThatIsWritten) {
  std::vector<std::string> left;
  for (const char* path : {"data/parts/1.csv", "data/processed/processed_data.csv", "data/raw/rows.csv", "models/classifier_1.pth", "models/deployments/1/current_model.pth"}) {
    left.push_back(leave(path, std::chrono::minutes(61)).string());
  }
  EXPECT_EQ(pruned(true).files, left);
  for (const auto& file : left) EXPECT_TRUE(fs::exists(file)) << file;
  EXPECT_EQ(pruned(false).files, left);
  for (const auto& file : left) EXPECT_FALSE(fs::exists(file)) << file;
  EXPECT_TRUE(pruned(true).files.empty());
}

TEST_F(HalfWrittenFiles, OfLiveProcessesAndFreshOnesStay) {
  leave("data/raw/rows.csv", std::chrono::minutes(59));  // perhaps of a machine that shares the folder
  auto mine = AtomicFile::create(folder_ / "data/raw/rows.csv").value();
  for (const auto& entry : fs::directory_iterator(folder_ / "data/raw")) {
    if (entry.path().string().find("-" + std::to_string(::getpid()) + "-") != std::string::npos) aged(entry.path(), std::chrono::minutes(61));
  }
  for (const char* name : {"rows.csv", "rows.csv.tmp-", "rows.csv.tmp-1000000000", "rows.csv.tmp-1000000000-x", "rows.csv.tmp-1000000000-0.csv", ".tmp-1000000000-0"}) {
    std::ofstream(folder_ / "data/raw" / name) << "mine";
    aged(folder_ / "data/raw" / name, std::chrono::minutes(61));
  }
  EXPECT_TRUE(pruned(false).files.empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "data/raw"), fs::directory_iterator()), 8);
}

}  // namespace
}  // namespace maeil::loop
