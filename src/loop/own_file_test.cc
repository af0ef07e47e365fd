// What is replaced under a name that maeil writes (DATA_PATH), what is left as it is, and what a process that
// is killed in between leaves to the next one.
#include "loop/own_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

namespace fs = std::filesystem;

class OwnFiles : public testing::Test {
 protected:
  Status write(const std::string& bytes) {
    MAEIL_ASSIGN(OwnFile file,
                 OwnFile::begin(path_.string(), kRawDataFile, [this] { return std::ref(*store_); }));
    MAEIL_TRY(file.write(bytes));
    return file.commit();
  }
  void put(const std::string& bytes) { std::ofstream(path_) << bytes; }
  std::string holds() { return read_file(path_).value(); }
  void expect_refused(const Status& status, const std::string& left) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUsage);
    EXPECT_NE(status.error().message.find(path_.string()), std::string::npos);
    EXPECT_NE(status.error().message.find("move it away"), std::string::npos);
    EXPECT_EQ(holds(), left);
  }

  store::TempFolder folder_;
  fs::path path_ = folder_ / "rows.csv";
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
};

TEST_F(OwnFiles, OneThatIsAbsentOrEmptyOrOursIsReplaced) {
  ASSERT_TRUE(write("one"));
  ASSERT_TRUE(write("two"));
  fs::copy_file(path_, folder_ / "copy");
  ASSERT_TRUE(write("three"));
  fs::rename(folder_ / "copy", path_);  // what was written before, too
  ASSERT_TRUE(write("four"));
  put("");  // as mktemp leaves it
  ASSERT_TRUE(write("five"));
  EXPECT_EQ(holds(), "five");
}

TEST_F(OwnFiles, OneOfTheUsersIsLeftAsItIs) {
  put("theirs");
  expect_refused(write("ours"), "theirs");
  EXPECT_FALSE(fs::exists(folder_ / ".rows.csv.maeil"));
  fs::remove(path_);
  ASSERT_TRUE(write("ours"));
  std::ofstream(path_, std::ios::app) << " and theirs";  // worked on in its place
  expect_refused(write("ours"), "ours and theirs");
}

TEST_F(OwnFiles, OneThatTheStoreRecordsIsReplaced) {
  put("of an earlier release");
  store::Batch batch;
  batch.puts.push_back(
      {"raw_data", {{"_id", store::id_value("0123456789abcdef01234567")}, {"sha256", sha256_hex(holds())}}});
  ASSERT_TRUE(store_->commit(batch));
  ASSERT_TRUE(write("new"));
  EXPECT_EQ(holds(), "new");
}

TEST_F(OwnFiles, OfOneKindTheStoreRecordsNotThoseOfAnother) {
  put("of an earlier release");
  store::Batch batch;
  batch.puts.push_back(
      {"predictions",
       {{"_id", store::id_value("0123456789abcdef01234567")}, {"sha256", sha256_hex(holds())}}});
  ASSERT_TRUE(store_->commit(batch));
  expect_refused(write("new"), "of an earlier release");
  EXPECT_TRUE(OwnFile::begin(path_.string(), kScoresFile, [this] { return std::ref(*store_); }));
}

TEST_F(OwnFiles, OneThatIsOursIsRemovedWithItsNoteAndNoOther) {
  const auto remove = [&] {
    return OwnFile::remove(path_.string(), kRawDataFile, [this] { return std::ref(*store_); });
  };
  EXPECT_TRUE(remove()) << "there is none";
  put("theirs");
  EXPECT_TRUE(remove());
  EXPECT_EQ(holds(), "theirs");
  fs::remove(path_);
  ASSERT_TRUE(write("ours"));
  EXPECT_TRUE(remove());
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(fs::exists(folder_ / ".rows.csv.maeil"));
}

TEST_F(OwnFiles, OneThatAppearsMeanwhileIsLeftAsItIs) {
  auto file = OwnFile::begin(path_.string(), kRawDataFile, [this] { return std::ref(*store_); }).value();
  ASSERT_TRUE(file.write("ours"));
  put("theirs");
  expect_refused(file.commit(), "theirs");
}

// The file has its name, and nothing else of the task is true yet.
TEST_F(OwnFiles, OneOfAProcessThatWasKilledBeforeItsCommitIsReplaced) {
  store_.reset();  // not to be used after fork
  store::Child child([&] {
    store_ = store::open_sqlite(folder_ / "maeil.db").value();
    return write("half a task") ? (::raise(SIGKILL), 0) : 1;
  });
  EXPECT_EQ(child.wait(), -SIGKILL);
  EXPECT_EQ(holds(), "half a task");
  store_ = store::open_sqlite(folder_ / "maeil.db").value();
  ASSERT_TRUE(write("the next one"));
  EXPECT_EQ(holds(), "the next one");
}

TEST_F(OwnFiles, ThatAreWrittenSideBySideAreAllKnown) {
  store_.reset();
  std::vector<std::unique_ptr<store::Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<store::Child>([&, i] {
      store_ = store::open_sqlite(folder_ / "maeil.db").value();
      for (int n = 0; n < 10; ++n) {
        if (!write("rows " + std::to_string(i * 10 + n))) return 1;
      }
      return 0;
    }));
  }
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  store_ = store::open_sqlite(folder_ / "maeil.db").value();
  for (int n = 0; n < 40; ++n) {
    put("rows " + std::to_string(n));
    EXPECT_TRUE(write("again")) << n;
  }
}

TEST_F(OwnFiles, ANoteThatIsNoneProvesNothing) {
  put("theirs");
  std::ofstream(folder_ / ".rows.csv.maeil") << "# rows.csv\n\n"
                                             << sha256_hex("theirs").substr(1) << "\n"
                                             << std::string(70, 'a');
  expect_refused(write("ours"), "theirs");
}

}  // namespace
}  // namespace maeil::loop
