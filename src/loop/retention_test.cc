// What `maeil prune` takes from this machine's folders: what killed processes left, and nothing else.
#include "loop/retention.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>

#include "base/file.h"
#include "loop/day_scores.h"
#include "loop/own_file.h"
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
    EXPECT_EQ(child.wait(), -SIGKILL);
    for (const auto& entry : fs::directory_iterator(begun.parent_path())) {
      if (entry.path().string().starts_with(begun.string() + ".tmp-")) return aged(entry.path(), age);
    }
    ADD_FAILURE() << "nothing was left of " << begun;
    return {};
  }
  // The name under which `file` is written now.
  static std::string held(const AtomicFile& file) {
    return fs::read_symlink("/proc/self/fd/" + std::to_string(file.descriptor())).string();
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
  for (const char* path : {"data/parts/1.csv", "data/processed/processed_data.csv", "data/raw/rows.csv",
                           "data/scores/scores_2026-11-23.csv", "models/classifier_1.pth",
                           "models/deployments/1/current_model.pth"}) {
    left.push_back(leave(path, std::chrono::minutes(61)).string());
  }
  EXPECT_EQ(pruned(true).files, left);
  for (const auto& file : left) EXPECT_TRUE(fs::exists(file)) << file;
  EXPECT_EQ(pruned(false).files, left);
  for (const auto& file : left) EXPECT_FALSE(fs::exists(file)) << file;
  EXPECT_TRUE(pruned(true).files.empty());
}

TEST_F(HalfWrittenFiles, OfLiveProcessesAndFreshOnesStay) {
  const auto raw = folder_ / "data/raw";
  // perhaps of a machine that shares the folder, and asks no locks
  leave("data/raw/rows.csv", std::chrono::minutes(59));
  store::Signpost begun;
  store::Child writer([&] {  // stopped for hours, and no process id says so: it may live in another container
    auto file = AtomicFile::create(raw / "stopped.csv");
    begun.raise();
    return ::pause();
  });
  begun.await();
  auto mine = AtomicFile::create(raw / "rows.csv").value();
  for (const auto& entry : fs::directory_iterator(raw)) {
    const bool fresh =
        entry.path().string().find("rows.csv") != std::string::npos && entry.path().string() != held(mine);
    if (!fresh) aged(entry.path(), std::chrono::hours(100));
  }
  for (const char* name :
       {"rows.csv", "rows.csv.tmp-", "rows.csv.tmp-0123456789abcde", "rows.csv.tmp-0123456789abcdef0",
        "rows.csv.tmp-0123456789ABCDEF", "rows.csv.tmp-0123456789abcdef.csv", "rows.csv.tmp-1000000000",
        "rows.csv.tmp-1000000000-x", "rows.csv.tmp-1000000000-0.csv", ".tmp-0123456789abcdef"}) {
    std::ofstream(raw / name) << "mine";
    aged(raw / name, std::chrono::hours(100));
  }
  fs::create_directory(raw / "folder.tmp-0123456789abcdef");
  aged(raw / "folder.tmp-0123456789abcdef", std::chrono::hours(100));
  EXPECT_TRUE(pruned(false).files.empty());
  EXPECT_EQ(std::distance(fs::directory_iterator(raw), fs::directory_iterator()), 14);
  writer.kill();
  EXPECT_EQ(pruned(false).files.size(), 1u);  // its lock ended with it
}

// Past RETENTION_DAYS_RAW the bytes of scores go, here and in the store; what they were stays.
TEST_F(HalfWrittenFiles, AndTheScoresOfOldDates) {
  const Days today = std::chrono::floor<std::chrono::days>(now());
  const Days old = today - std::chrono::days(91), young = today - std::chrono::days(90);
  std::vector<std::string> blobs;
  auto store = store::open_sqlite(folder_ / "maeil.db").value();
  const StoreToAsk ask = [&] { return std::ref(*store); };
  for (const Days date : {old, young}) {
    auto file = OwnFile::begin(scores_path(settings_, date), kScoresFile, ask).value();
    ASSERT_TRUE(file.write("scores"));
    ASSERT_TRUE(file.commit());
    auto blob = store->write_blob("scores.csv", {}).value();
    ASSERT_TRUE(blob->write("scores"));
    blobs.push_back(blob->finish().value());
    store::Batch batch;
    batch.puts.push_back({"predictions",
                          {{"_id", store::id_value(store::new_object_id(now()))},
                           {"logical_date", format_date(date)},
                           {"file_id", store::id_value(blobs.back())}}});
    ASSERT_TRUE(store->commit(batch));
  }
  store.reset();
  const std::vector<std::string> gone = {format_date(old)};
  EXPECT_EQ(pruned(true).scores, gone);
  EXPECT_TRUE(fs::exists(scores_path(settings_, old)));
  EXPECT_EQ(pruned(false).scores, gone);
  EXPECT_TRUE(pruned(false).scores.empty());
  EXPECT_FALSE(fs::exists(scores_path(settings_, old)));
  EXPECT_TRUE(fs::exists(scores_path(settings_, young)));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "data/scores"), fs::directory_iterator()), 2)
      << "a file and its note";
  store = store::open_sqlite(folder_ / "maeil.db").value();
  EXPECT_FALSE(store->blob_info(blobs[0]));
  EXPECT_TRUE(store->blob_info(blobs[1]));
  EXPECT_EQ(store->find("predictions", {}).value().size(), 2u);
}

// Links of a deployment, and files of an earlier release, which held no lock: only the age counts, for the
// latter a day more.
TEST_F(HalfWrittenFiles, ThatHoldNothingGoByTheirAge) {
  fs::create_directories(folder_ / "models");
  const auto link = folder_ / "models/deployed.tmp-0123456789abcdef",
             old = folder_ / "models/classifier_1.pth.tmp-4711-0";
  fs::create_directory_symlink("deployments/1", link);
  std::ofstream(old) << "half";
  const auto hours_ago = [](int hours) {
    const auto at =
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - std::chrono::hours(hours));
    return timespec{at, 0};
  };
  const auto age = [&](const fs::path& path, int hours) {
    const timespec times[] = {hours_ago(hours), hours_ago(hours)};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  };
  EXPECT_TRUE(pruned(true).files.empty());
  age(link, 2), age(old, 2);
  EXPECT_EQ(pruned(true).files, std::vector{link.string()});
  age(old, 26);
  EXPECT_EQ(pruned(false).files, (std::vector{old.string(), link.string()}));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::is_symlink(link));
}

}  // namespace
}  // namespace maeil::loop
