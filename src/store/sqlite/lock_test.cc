// One database has one lock and one name, whatever links lead to it, and its files are its user's alone.
#include "store/sqlite/lock.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

Status commit_one(Store& store) {
  Batch batch;
  batch.puts.push_back({"c", {{"_id", id_value("0123456789abcdef01234567")}}});
  return store.commit(batch);
}

TEST(SqliteLock, IsTheSameUnderEveryLinkToTheDatabase) {
  TempFolder folder;
  fs::create_directory(folder / "data");
  fs::create_directory_symlink("data", folder / "also");
  const auto store = open_sqlite(folder / "data/maeil.db").value();
  fs::create_symlink("data/maeil.db", folder / "other.db");
  fs::create_symlink("../other.db", folder / "data/third.db");
  const auto held = store->lock("runner", "the first");
  ASSERT_TRUE(held);
  for (const char* name : {"other.db", "data/third.db", "also/maeil.db", "also/third.db"}) {
    const auto taken = open_sqlite(folder / name).value()->lock("runner", "the second");
    ASSERT_FALSE(taken) << name;
    EXPECT_EQ(taken.error().code, ErrorCode::kConflict) << name;
    EXPECT_NE(taken.error().message.find("the first"), std::string::npos) << taken.error().message;
  }
}

TEST(SqliteLock, IsNotTakenOnAForeignFile) {
  TempFolder folder;
  const auto store = open_sqlite(folder / "maeil.db").value();
  const auto letter = folder / "letter.txt", lock = folder / "maeil.db.runner.lock";
  std::ofstream(letter) << "dear reader";
  for (const bool symbolic : {true, false}) {
    symbolic ? fs::create_symlink(letter, lock) : fs::create_hard_link(letter, lock);
    const auto taken = store->lock("runner", "x");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, ErrorCode::kIo);
    EXPECT_NE(taken.error().message.find("remove it"), std::string::npos) << taken.error().message;
    EXPECT_EQ(fs::file_size(letter), 11u);
    fs::remove(lock);
  }
  EXPECT_TRUE(store->lock("runner", "x"));
}

TEST(SqliteLock, OfAStoreThatIsOnlyReadIsOnlyAskedFor) {
  TempFolder folder;
  const auto path = folder / "maeil.db", lock = folder / "maeil.db.runner.lock";
  const auto store = open_sqlite(path).value();
  ASSERT_TRUE(commit_one(*store));
  SqliteOptions reading;
  reading.read_only = true;
  const auto reader = open_sqlite(path, reading).value();
  EXPECT_FALSE(reader->lock_holder("runner").value());
  EXPECT_FALSE(fs::exists(lock));
  {
    const auto held = store->lock("runner", "a writer");
    ASSERT_TRUE(held);
    const auto size = fs::file_size(lock);
    EXPECT_EQ(reader->lock_holder("runner").value()->holder, "a writer");
    EXPECT_EQ(fs::file_size(lock), size);
  }
  EXPECT_FALSE(reader->lock_holder("runner").value());
}

TEST(SqliteStore, ANewOneIsItsUsersAlone) {
  TempFolder folder;
  const mode_t before = ::umask(022);
  fs::create_symlink("new.db", folder / "link.db");  // to a file that is not there yet
  for (const char* name : {"maeil.db", "link.db"}) {
    const auto store = open_sqlite(folder / name).value();
    ASSERT_TRUE(commit_one(*store));
    const auto lock = store->lock("runner", "x");
    EXPECT_TRUE(lock);
    int files = 0;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      if (entry.is_symlink()) continue;
      ++files;
      EXPECT_EQ(mode_of(entry.path()), 0600u) << entry.path();
    }
    EXPECT_GE(files, 4) << "database, -wal, -shm, lock";
  }
  const auto shared = folder / "maeil.db", lock = folder / "maeil.db.deploy.lock";
  ASSERT_EQ(::chmod(shared.c_str(), 0660), 0);  // by somebody who shares it with a group
  EXPECT_TRUE(open_sqlite(shared).value()->lock("deploy", "x"));
  EXPECT_EQ(mode_of(shared), 0660u);
  EXPECT_EQ(mode_of(lock), 0660u);
  ::umask(before);
}

// SQLite finds the journal by the file's name: https://www.sqlite.org/howtocorrupt.html, 2.4.
TEST(SqliteStore, OfTwoHardLinksIsRefused) {
  TempFolder folder;
  const auto path = folder / "maeil.db", second = folder / "second.db";
  ASSERT_TRUE(commit_one(*open_sqlite(path).value()));
  fs::create_hard_link(path, second);
  for (const bool read_only : {false, true}) {
    SqliteOptions options;
    options.read_only = read_only;
    for (const auto& name : {path, second}) {
      const auto opened = open_sqlite(name, options);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, ErrorCode::kBadInput);
      EXPECT_NE(opened.error().message.find("hard links"), std::string::npos) << opened.error().message;
    }
  }
  fs::remove(second);
  EXPECT_TRUE(open_sqlite(path));
}

}  // namespace
}  // namespace maeil::store
