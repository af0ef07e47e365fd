// Garbage goes in many small transactions, between which others write; an upload that is under way is none.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

// What the connections opened while it lives commit and delete.
std::atomic<int> commits, deleted_in_this, most_deleted;
int on_commit(void*) {
  ++commits;
  deleted_in_this = 0;
  return 0;
}
void on_change(void*, int operation, const char*, const char*, sqlite3_int64) {
  if (operation == SQLITE_DELETE && ++deleted_in_this > most_deleted) most_deleted = deleted_in_this.load();
}
int watch(sqlite3* handle, char**, const void*) {
  sqlite3_commit_hook(handle, on_commit, nullptr);
  sqlite3_update_hook(handle, on_change, nullptr);
  return SQLITE_OK;
}
class Watch {
 public:
  Watch() {
    commits = deleted_in_this = most_deleted = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  }
  ~Watch() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }
};

constexpr auto kHour = std::chrono::hours(1);

TEST(Garbage, ItGoesInSmallTransactions) {
  TempFolder folder;
  {
    auto store = *open_sqlite(folder / "maeil.db");
    auto blob = *store->write_blob("large", Document::object());
    ASSERT_TRUE(blob->write(std::string(40 << 20, 'b')));
    ASSERT_TRUE(blob->finish());
    auto rows = *store->write_rows("rows", "p");
    RowChunk chunk;
    for (int c = 0; c < 200; ++c) chunk.push_back({fmt::format("c{}", c), std::vector<int64_t>(4096 * 5, c)});
    ASSERT_TRUE(rows->append(chunk));
    ASSERT_TRUE(rows->finish());
  }
  Watch watching;
  auto store = *open_sqlite(folder / "maeil.db");
  EXPECT_EQ(*store->collect_garbage(now() + kHour), 2);
  EXPECT_GE(commits.load(), 40 / 8 + 1000 / 256 + 40 / 4);  // blob pieces, row pieces, pages given back
  EXPECT_LE(most_deleted.load(), 256);
  EXPECT_LT(std::filesystem::file_size(folder / "maeil.db"),
            uint64_t{12 << 20});  // the last ones may wait in the journal
  EXPECT_TRUE(store->check());
}

TEST(Garbage, ReplacedAndErasedRowsGoInSmallTransactions) {
  TempFolder folder;
  Watch watching;
  auto store = *open_sqlite(folder / "maeil.db");
  const auto publish = [&](int64_t rows) {
    auto writer = *store->write_rows("rows", "p");
    RowChunk chunk;
    for (int c = 0; c < 200; ++c)
      chunk.push_back({fmt::format("c{}", c), std::vector<int64_t>(static_cast<size_t>(rows), c)});
    ASSERT_TRUE(writer->append(chunk));
    Batch batch;
    batch.publishes.push_back({"rows", "p", *writer->finish()});
    ASSERT_TRUE(store->commit(batch));
  };
  publish(4096 * 5);
  publish(1);  // 1,000 pieces go
  publish(4096 * 5);
  ASSERT_TRUE(store->erase_rows("rows", "p"));
  EXPECT_GT(most_deleted.load(), 0);
  EXPECT_LE(most_deleted.load(), 256);
  EXPECT_EQ(*store->collect_garbage(now() + kHour), 0) << "nothing is left for it";
  EXPECT_TRUE(store->check());
}

TEST(Garbage, AnotherWriterGetsInBetween) {
  TempFolder folder;
  auto store = *open_sqlite(folder / "maeil.db");
  auto blob = *store->write_blob("large", Document::object());
  ASSERT_TRUE(blob->write(std::string(40 << 20, 'b')));
  ASSERT_TRUE(blob->finish());
  Watch watching;
  auto other = *open_sqlite(
      folder / "maeil.db");  // its commits, and those of the collector's thread below, are counted
  auto collector = *open_sqlite(folder / "maeil.db");
  commits = 0;
  std::thread collecting([&] { EXPECT_EQ(*collector->collect_garbage(now() + kHour), 1); });
  while (commits < 2) std::this_thread::yield();
  Batch batch;
  batch.puts.push_back({"c", {{"_id", id_value(std::string(24, '1'))}}});
  EXPECT_TRUE(other->commit(batch));
  const int then = commits;
  collecting.join();
  EXPECT_LT(then, commits.load());
}

TEST(Garbage, AnUploadThatIsWrittenToIsNone) {
  TempFolder folder;
  auto store = *open_sqlite(folder / "maeil.db");
  const Instant begun = now();
  auto blob = *store->write_blob("slow", Document::object());
  auto rows = *store->write_rows("rows", "p");
  while (now() == begun) std::this_thread::yield();
  const Instant between = now();  // as an hour after the beginning
  while (now() == between) std::this_thread::yield();
  ASSERT_TRUE(blob->write(std::string(3 << 20, 'b')));
  ASSERT_TRUE(rows->append({{"n", std::vector<int64_t>(4096, 1)}}));
  EXPECT_EQ(*store->collect_garbage(between), 0);
  const auto id = blob->finish();
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(store->read_whole_blob(*id, 4 << 20)->size(), size_t{3 << 20});
  EXPECT_TRUE(rows->finish());
}

TEST(Garbage, WhatLostItsPiecesIsNeverFinished) {
  TempFolder folder;
  auto store = *open_sqlite(folder / "maeil.db");
  auto blob = *store->write_blob("lost", Document::object());
  ASSERT_TRUE(blob->write(std::string(3 << 20, 'b')));
  EXPECT_EQ(*store->collect_garbage(now() + kHour), 1);
  const auto id = blob->finish();
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::kNotFound);
  auto second = *store->write_blob("damaged", Document::object());
  ASSERT_TRUE(second->write(std::string(3 << 20, 'b')));
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "maeil.db").c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, "DELETE FROM blob_pieces WHERE n = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_FALSE(second->finish());
  EXPECT_TRUE(store->blobs()->empty());
}

}  // namespace
}  // namespace maeil::store
