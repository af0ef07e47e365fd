// A store of a maeil of schema 1 becomes one of schema 2: all at once, killed after each step, and read
// before it.
//
// testdata/schema1.sql is the store of one real day of that release (commit 07c4fbf, 300 rows), as SQLite
// dumps it, without its blobs, which are three files of 0.3 MB and more; schema1.json is what that release's
// `maeil db` printed of each collection, of the 300 rows every 50th.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <sstream>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

std::string text_of(const char* name) {
  std::ifstream file(std::filesystem::path(MAEIL_SOURCE_DIR) / "src/store/sqlite/testdata" / name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Raw {
 public:
  explicit Raw(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) std::abort();
  }
  ~Raw() { sqlite3_close(handle_); }
  std::string run(const std::string& sql) {  // "" or the error
    char* error = nullptr;
    sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &error);
    const std::string text = error ? error : "";
    sqlite3_free(error);
    return text;
  }
  int64_t number(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr);
    sqlite3_step(statement);
    const int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* handle_ = nullptr;
};

class Migration : public testing::Test {
 protected:
  void SetUp() override {
    const std::string sql = text_of("schema1.sql");
    ASSERT_FALSE(sql.empty());
    Raw raw(path());
    ASSERT_EQ(raw.run(sql), "");
    ASSERT_EQ(raw.number("PRAGMA user_version"), 1);
  }
  std::filesystem::path path() const { return folder_ / "maeil.db"; }
  // As schema1.json: every collection's documents in order of insertion.
  static void expect_everything(Store& store) {
    const Document expected = Document::parse(text_of("schema1.json"));
    Document found = Document::object();
    const auto names = store.collections();
    ASSERT_TRUE(names);
    for (const auto& name : *names) {
      found[name] = Document::array();
      const auto documents = *store.find(name, {});
      const size_t step = name == "processed_data" ? 50 : 1;
      EXPECT_TRUE(step == 1 || documents.size() == 300);
      for (size_t i = 0; i < documents.size(); i += step) found[name].push_back(documents[i]);
    }
    EXPECT_EQ(found.dump(), expected.dump());
    EXPECT_TRUE(store.check());
  }
  // More documents than one step takes, as schema 1 has them: the one of dag_runs again and again.
  void add_documents(int count) {
    Raw raw(path());
    ASSERT_EQ(raw.run("BEGIN"), "");
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(raw.run(fmt::format(R"(INSERT INTO documents(collection, id, body, hash)
          VALUES('dag_runs', '{0:024x}', '{{"_id":{{"$oid":"{0:024x}"}},"run_id":"r{0}"}}', 0))",
                                    i)),
                "");
    }
    ASSERT_EQ(raw.run("COMMIT"), "");
  }
  TempFolder folder_;
};

TEST_F(Migration, AStoreOfTheFirstSchemaIsBroughtOver) {
  int64_t done = -1, all = 0, calls = 0;
  SqliteOptions options;
  options.migrating = [&](const MigrationProgress& progress) {
    if (calls++ == 0) {
      EXPECT_EQ(progress.done, 0);
    }
    done = progress.done;
    all = progress.all;
  };
  auto store = open_sqlite(path(), options);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_GE(calls, 2);
  EXPECT_EQ(done, all);
  expect_everything(**store);
  FindOptions newest;
  newest.sort = {{"start_date", -1}};
  newest.limit = 1;
  EXPECT_EQ((*store)->find("dag_runs", newest)->size(), 1u);
  EXPECT_EQ(Raw(path()).number("PRAGMA user_version"), 2);
  EXPECT_GT(Raw(path()).number("SELECT count(*) FROM document_keys"), 0);
  calls = 0;
  ASSERT_TRUE(open_sqlite(path(), options));  // it is done once
  EXPECT_EQ(calls, 0);
}

TEST_F(Migration, KilledAfterAnyStepTheNextOneGoesOn) {
  add_documents(4500);
  int killed = 0;
  for (;; ++killed) {
    ASSERT_LT(killed, 20);
    Child child([&] {
      SqliteOptions options;
      int calls = 0;
      options.migrating = [&](const MigrationProgress&) {
        if (++calls == 2) ::kill(::getpid(), SIGKILL);  // after its first step
      };
      return open_sqlite(path(), options) ? 0 : 1;
    });
    const int status = child.wait();
    if (status == 0) break;
    ASSERT_EQ(status, -SIGKILL);
    SqliteOptions reading;
    reading.read_only = true;
    auto half = open_sqlite(path(), reading);  // whoever reads in between sees all
    ASSERT_TRUE(half) << half.error().message;
    ASSERT_FALSE((*half)->find("task_instances", {})->empty());
  }
  EXPECT_GE(killed, 3);
  ASSERT_EQ(Raw(path()).run("DELETE FROM documents WHERE hash = 0"),
            "a newer maeil has changed this store: start this one again with that version");
  EXPECT_EQ(Raw(path()).number("SELECT count(*) FROM document_keys WHERE \"index\" = 10"),
            Raw(path()).number("SELECT count(*) FROM documents WHERE collection = 'dag_runs'"));
}

TEST_F(Migration, AReaderReadsTheFirstSchemaAndWritesNothing) {
  SqliteOptions options;
  options.read_only = true;
  auto store = open_sqlite(path(), options);
  ASSERT_TRUE(store) << store.error().message;
  FindOptions newest;
  newest.sort = {{"start_date", -1}};
  EXPECT_FALSE((*store)->find("dag_runs", newest)->empty());
  EXPECT_EQ(Raw(path()).number("PRAGMA user_version"), 1);
  ASSERT_TRUE(open_sqlite(path()));  // another process brings it over meanwhile
  EXPECT_FALSE((*store)->find("dag_runs", newest)->empty());
}

// What the present release's running processes do: they have prepared statements of schema 1 and no idea of
// keys.
TEST_F(Migration, AWriterOfTheFirstSchemaThatRunsOnIsRefused) {
  Raw old(path());
  const std::string write = "INSERT INTO documents(collection, id, body, hash) VALUES('c', '0', '{}', 0)";
  ASSERT_EQ(old.run("BEGIN; " + write + "; ROLLBACK"), "");
  ASSERT_TRUE(open_sqlite(path()));
  EXPECT_EQ(old.run(write), "a newer maeil has changed this store: start this one again with that version");
}

TEST_F(Migration, AWriterIsToldWhenANewerOneHasChangedTheStore) {
  auto store = *open_sqlite(path());
  ASSERT_EQ(Raw(path()).run("PRAGMA user_version=3"), "");
  Batch batch;
  batch.puts.push_back({"c", {{"_id", id_value(std::string(24, '1'))}}});
  const Status refused = store->commit(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  const auto again = open_sqlite(path());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::store
