// The raw CSV of a date when days run side by side in one workspace: all of them keep their copy under the
// same path.
#include "loop/prepared/raw_data.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

struct RawFile : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();
  const std::string path = folder / "data/raw/rows.csv";
  const std::string mine = "a,b\n1,2\n", other = "a,b\n3,4\n";

  store::Document raw_of(const std::string& bytes) {
    auto blob = store->write_blob("rows.csv", {}).value();
    EXPECT_TRUE(blob->write(bytes));
    return {{"file_id", store::id_value(blob->finish().value())}, {"sha256", sha256_hex(bytes)}};
  }
  Result<MappedFile> get(const store::Document& raw) {
    dag::TaskContext context{
        *store, parse_date("2026-11-23").value(), "run", "data_pipeline_dag", "preprocess_data", 0, 1,
        {},     [](std::string_view) {},          {}};
    return raw_file(context, raw, path);
  }
};

TEST_F(RawFile, IsReadAsItWasComparedWhateverReplacesIt) {
  for (const bool fetched : {true, false}) {  // from the store, and where the copy was right already
    const auto file = get(raw_of(mine));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(read_file(path).value(), mine) << fetched;
    ASSERT_TRUE(write_file_atomically(path, other));
    EXPECT_EQ(file->bytes(), mine) << fetched;
    ASSERT_TRUE(write_file_atomically(path, mine));
  }
}

TEST_F(RawFile, AnotherDatesCopyIsReplacedAndDamageIsRefused) {
  ASSERT_TRUE(make_directories(folder / "data/raw"));
  ASSERT_TRUE(write_file_atomically(path, other));
  const auto theirs = get(raw_of(mine));
  ASSERT_FALSE(theirs) << "nobody knows that maeil wrote it";
  EXPECT_EQ(theirs.error().code, ErrorCode::kUsage);
  EXPECT_EQ(read_file(path).value(), other);
  store::Batch batch;
  batch.puts.push_back(
      {"raw_data", {{"_id", store::id_value(store::new_object_id(now()))}, {"sha256", sha256_hex(other)}}});
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(get(raw_of(mine)).value().bytes(), mine);
  EXPECT_EQ(read_file(path).value(), mine);
  auto damaged = raw_of(mine);
  damaged["sha256"] = sha256_hex(other);
  const auto refused = get(damaged);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(read_file(path).value(), mine);
}

}  // namespace
}  // namespace maeil::loop
