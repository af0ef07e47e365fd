// What the embedded store says and keeps when its file is damaged, foreign, read-only, or the disk is full.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

namespace fs = std::filesystem;

Batch put(int n, int64_t value, size_t padding = 0) {
  Batch batch;
  batch.puts.push_back({"c",
                        {{"_id", id_value(fmt::format("{:024x}", n))},
                         {"value", value},
                         {"padding", std::string(padding, 'x')}}});
  return batch;
}

// A store with documents, a blob and rows, closed again.
void fill(const fs::path& path) {
  auto store = must(open_sqlite(path));
  Batch documents;
  for (int i = 0; i < 50; ++i) documents.puts.push_back(put(i, i, 500).puts[0]);
  must(store->commit(documents));
  auto writer = must(store->write_rows("rows", "p"));
  must(writer->append({{"n", std::vector<int64_t>(3000, 7)}, {"d", std::vector<double>(3000, 0.5)}}));
  auto blob = must(store->write_blob("b", Document::object()));
  must(blob->write(std::string(200000, 'b')));
  Batch batch = put(99, 99);
  batch.puts[0].document["file_id"] = must(blob->finish());
  batch.publishes.push_back({"rows", "p", must(writer->finish())});
  must(store->commit(batch));
}

void run_sql(const fs::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);  // those are for programs of schema 1
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

void expect_error(const Status& status, ErrorCode code, std::string_view about) {
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, code) << status.error().message;
  EXPECT_NE(status.error().message.find(about), std::string::npos) << status.error().message;
  EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
}
Status opened(const fs::path& path, const SqliteOptions& options = {}) {
  auto store = open_sqlite(path, options);
  if (!store) return tl::unexpected<Error>(store.error());
  return {};
}

TEST(SqliteFaults, WhatIsNoStoreIsRefusedAndLeftAlone) {
  TempFolder folder;
  const std::string text = std::string("This is no database. ") + std::string(5000, '.');
  must(write_file_atomically(folder / "text", text));
  expect_error(opened(folder / "text"), ErrorCode::kBadInput, "no SQLite database");
  EXPECT_EQ(must(read_file(folder / "text")), text);

  run_sql(folder / "foreign", "CREATE TABLE people(name)");
  const std::string foreign = must(read_file(folder / "foreign"));
  expect_error(opened(folder / "foreign"), ErrorCode::kBadInput, "another program");
  EXPECT_EQ(must(read_file(folder / "foreign")), foreign);

  fill(folder / "newer");
  run_sql(folder / "newer", "PRAGMA user_version=7");
  expect_error(opened(folder / "newer"), ErrorCode::kBadInput, "newer maeil");

  expect_error(opened(folder.path()), ErrorCode::kIo, "folder");
  expect_error(opened(folder.path() / "absent" / "x.db"), ErrorCode::kIo, "x.db");
  expect_error(opened(folder / "none.db", {.create = false}), ErrorCode::kNotFound, "none.db");
  EXPECT_FALSE(fs::exists(folder / "none.db"));
  std::ofstream(folder / "empty.db").close();
  EXPECT_TRUE(opened(folder / "empty.db"));  // as SQLite: an empty file is an empty database
}

TEST(SqliteFaults, AnUnchangedSchemaIsTheOneOfItsVersion) {
  TempFolder folder;
  fill(folder / "a.db");
  auto connection = must(sqlite::Connection::open(folder / "a.db", {}));
  EXPECT_EQ(must(connection->number("PRAGMA user_version")), sqlite::kSchemaVersion);
  EXPECT_EQ(must(connection->number("PRAGMA application_id")), sqlite::kApplicationId);
  EXPECT_EQ(must(connection->number("PRAGMA synchronous")), 2);
}

// Every answer to a damaged file is an error or the right content: never a crash, never other content.
TEST(SqliteFaults, DamageAnywhereIsFoundOrHarmless) {
  TempFolder folder;
  fill(folder / "good.db");
  const std::string good = must(read_file(folder / "good.db"));
  ASSERT_GT(good.size(), 200000u);
  int found = 0, trials = 0;
  const auto trial = [&](const std::string& bytes, const std::string& what) {
    SCOPED_TRACE(what);
    TempFolder place;
    must(write_file_atomically(place / "x.db", bytes));
    ++trials;
    auto store = open_sqlite(place / "x.db");
    if (!store) {
      ++found;
      EXPECT_TRUE(store.error().code == ErrorCode::kBadInput || store.error().code == ErrorCode::kIo)
          << store.error().message;
      return;
    }
    const Status checked = (*store)->check();
    if (!checked) {
      ++found;
      EXPECT_EQ(checked.error().code, ErrorCode::kBadInput) << checked.error().message;
    }
    int64_t sum = 0;
    const Status read = (*store)->find_each("c", {}, [&](Document&& document) {
      sum += document["value"].get<int64_t>();
      return true;
    });
    if (checked && read) {
      EXPECT_EQ(sum, 49 * 50 / 2 + 99);
    }
    (void)(*store)->find("rows", {});
    (void)(*store)->commit(put(1000, 1));
    (void)(*store)->collect_garbage(now());
  };
  for (size_t size : {size_t{1}, size_t{50}, size_t{100}, size_t{4096}, size_t{5000}, good.size() / 2,
                      good.size() - 4096, good.size() - 1}) {
    trial(good.substr(0, size), fmt::format("cut at {}", size));
  }
  // One flipped bit, about every 8,000 bytes, and in the header.
  for (size_t at = 0; at < good.size(); at += at < 100 ? 9 : 8009) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    trial(bytes, fmt::format("bit flipped at {}", at));
  }
  for (size_t page = 4096; page < good.size(); page += 8 * 4096) {
    std::string bytes = good;
    bytes.replace(page, 4096, std::string(4096, '\xff'));
    trial(bytes, fmt::format("page at {} overwritten", page));
  }
  EXPECT_GT(found, trials / 2) << trials;  // the rest are free pages and unused fields
}

TEST(SqliteFaults, ChecksumsSeeWhatSqliteDoesNot) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPDATE documents SET body = replace(body, '\"value\":7,', '\"value\":8,')", "document"},
      {"UPDATE documents SET task_key = 'x' WHERE seq = 3", "wrong key"},
      {"UPDATE blob_pieces SET bytes = x'00'", "blob"},
      {"DELETE FROM blob_pieces", "blob"},
      {"UPDATE blobs SET sha256 = 'x'", "SHA-256"},
      {"UPDATE row_pieces SET bytes = x'00' WHERE \"column\" = 1", "rows of rows p"},
      {"DELETE FROM row_pieces WHERE \"column\" = 0", "missing"},
      {"UPDATE generations SET columns = '[{\"name\": 5}]'", "rows of rows p"},
      {"UPDATE generations SET rows = 2999", "2999"},
      {"DELETE FROM generations", "rows of rows p"},
  };
  for (const auto& [sql, about] : cases) {
    SCOPED_TRACE(sql);
    TempFolder folder;
    fill(folder / "x.db");
    must(must(open_sqlite(folder / "x.db"))->check());
    run_sql(folder / "x.db", sql);
    expect_error(must(open_sqlite(folder / "x.db"))->check(), ErrorCode::kBadInput, about);
  }
}

// With RLIMIT_FSIZE no file may grow beyond some size, as on a full disk. In a child: the limit is the
// process's.
TEST(SqliteFaults, AFullDiskIsSaidAndLosesNothing) {
  TempFolder folder;
  Child child([&] {
    auto opening = open_sqlite(folder / "x.db");
    if (!opening) return 1;
    auto& store = **opening;
    for (int i = 0; i < 5; ++i) {
      if (!store.commit(put(i, i))) return 2;
    }
    const rlimit limit{1 << 20, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Status done;
    int n = 100;
    while (done && n < 200) done = store.commit(put(n++, 0, 100000));
    if (done || done.error().code != ErrorCode::kIo || done.error().message.find("x.db") == std::string::npos)
      return 3;
    auto blob = store.write_blob("b", Document::object());
    Status blob_done =
        blob ? (*blob)->write(std::string(5 << 20, 'b')) : Status(tl::unexpected<Error>(blob.error()));
    if (blob_done || blob_done.error().code != ErrorCode::kIo) return 4;
    auto rows = store.write_rows("rows", "p");
    Status rows_done = rows ? (*rows)->append({{"d", std::vector<double>(1 << 20, 0.5)}})
                            : Status(tl::unexpected<Error>(rows.error()));
    if (rows_done || rows_done.error().code != ErrorCode::kIo) return 5;
    const auto found = store.find("c", {});
    if (!found || found->size() != static_cast<size_t>(5 + n - 101)) return 6;
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &none);
    return store.commit(put(999, 1)) && store.check() ? 0 : 7;  // the same store goes on
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(must(open_sqlite(folder / "x.db"))->check());
}

TEST(SqliteFaults, NoRoomForANewStore) {
  TempFolder folder;
  Child child([&] {
    const rlimit limit{2000, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto store = open_sqlite(folder / "x.db");
    return !store && store.error().code == ErrorCode::kIo ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(opened(folder / "x.db"));
}

TEST(SqliteFaults, WhatIsPrunedGivesItsSpaceBack) {
  TempFolder folder;
  fill(folder / "x.db");
  const auto before = fs::file_size(folder / "x.db");
  {
    auto store = must(open_sqlite(folder / "x.db"));
    must(store->erase_rows("rows", "p"));
    Batch batch;
    batch.erases.push_back({"c", fmt::format("{:024x}", 99)});
    must(store->commit(batch));
    EXPECT_EQ(must(store->collect_garbage(now() + std::chrono::hours(1))), 1);
  }
  EXPECT_LT(fs::file_size(folder / "x.db"), before / 2);
}

// As another user, since root may write everywhere.
int as_nobody(const std::function<int()>& body) {
  if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 99;
  return body();
}

TEST(SqliteFaults, ReadOnlyFilesAndFolders) {
  TempFolder folder;
  fill(folder / "x.db");
  const auto refused = [](const fs::path& path) {
    const auto store = open_sqlite(path);
    return !store && store.error().code == ErrorCode::kIo &&
                   store.error().message.find(path.string()) != std::string::npos
               ? 0
               : 1;
  };
  ::chmod((folder / "x.db").c_str(), 0444);
  ::chmod(folder.path().c_str(), 0777);
  EXPECT_EQ(Child([&] { return as_nobody([&] { return refused(folder / "x.db"); }); }).wait(), 0)
      << "read-only file";
  ::chmod((folder / "x.db").c_str(), 0666);
  // the other user made them: with them there, writing would do without the folder
  fs::remove(folder / "x.db-wal");
  fs::remove(folder / "x.db-shm");
  ::chmod(folder.path().c_str(), 0555);
  EXPECT_EQ(Child([&] { return as_nobody([&] { return refused(folder / "x.db"); }); }).wait(), 0)
      << "read-only folder";
  EXPECT_EQ(Child([&] { return as_nobody([&] { return refused(folder / "new.db"); }); }).wait(), 0)
      << "new file in a read-only folder";
  ::chmod(folder.path().c_str(), 0777);
  EXPECT_TRUE(must(open_sqlite(folder / "x.db"))->check());

  auto store = must(open_sqlite(folder / "x.db"));
  ::chmod(folder.path().c_str(), 0555);
  EXPECT_EQ(Child([&] {
              return as_nobody([&] {
                const auto lock = store->lock("runner", "x");
                return !lock && lock.error().code == ErrorCode::kIo ? 0 : 1;
              });
            }).wait(),
            0);
  ::chmod(folder.path().c_str(), 0777);
}

TEST(SqliteFaults, ABusyStoreIsWaitedForAndThenSaid) {
  TempFolder folder;
  fill(folder / "x.db");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "x.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  auto store = must(open_sqlite(folder / "x.db", {.busy_timeout_ms = 50}));
  expect_error(store->commit(put(1, 1)), ErrorCode::kConflict, "another process");
  EXPECT_EQ(must(store->find("c", {})).size(), 51u);  // reading goes on
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  EXPECT_TRUE(store->commit(put(1, 1)));
  sqlite3_close(other);
}

}  // namespace
}  // namespace maeil::store
