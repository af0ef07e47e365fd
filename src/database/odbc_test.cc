// Through ODBC's driver of SQLite, where it is installed (tools/packages.txt has it).
#include <sqlite3.h>

#include <cstdlib>

#include "database/query_csv.h"
#include "database/scores_table.h"

namespace maeil::database {
namespace {

namespace fs = std::filesystem;

class OdbcDatabase : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "maeil-odbc-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "rows.db").c_str(), &file), SQLITE_OK);
    const char* sql =
        "CREATE TABLE t (i BIGINT, v VARCHAR(3), x TEXT, d DATE, b BLOB);"
        "INSERT INTO t VALUES (9007199254740993, '가나다라', NULL, '2026-11-28', x'00'), (NULL, '', 'a', "
        "'2026-11-27', NULL);"
        "CREATE TABLE scores (id TEXT, probability REAL, decision INTEGER, logical_date TEXT, model_version "
        "TEXT)";
    ASSERT_EQ(sqlite3_exec(file, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(file);
    access_.url = "odbc:DRIVER=SQLite3;Database=" + (folder_ / "rows.db").string();
    access_.timeout = 5;
    const auto open = Connection::open(access_);
    if (!open && !std::getenv("MAEIL_REQUIRE_DATA")) GTEST_SKIP() << open.error().message;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string csv(const std::string& query, std::optional<Days> date = {}) {
    auto out = AtomicFile::create(folder_ / "out.csv");
    const auto taken = write_csv(access_, {"day.sql", query}, date, *out);
    if (!taken) return taken.error().message;
    return std::string(out->map()->bytes());
  }

  fs::path folder_;
  Access access_;
};

TEST_F(OdbcDatabase, ReadsValuesAtTheirFullLength) {
  const Days date = *parse_date("2026-11-28");
  EXPECT_EQ(csv("SELECT i, v, x, d FROM t WHERE d = :date OR d = :date", date),
            "i,v,x,d\n9007199254740993,가나다라,,2026-11-28\n");
  const std::string longer(100000, 'q');
  EXPECT_EQ(csv("SELECT '" + longer + "한' AS x"), "x\n" + longer + "한\n");
  std::string many = "SELECT v FROM t WHERE d = :date";
  for (int i = 0; i < 100; ++i) many += " OR d = :date";
  EXPECT_EQ(csv(many, date), "v\n가나다라\n");
}

TEST_F(OdbcDatabase, RefusesBytesAndWhatOnlyWrites) {
  EXPECT_EQ(csv("SELECT b FROM t"),
            "day.sql: the column 'b' holds bytes, which are no value: leave it out, or take a part or a text "
            "of it");
  EXPECT_EQ(csv("DELETE FROM t"), "day.sql: a query only reads, and gives rows");
  EXPECT_EQ(csv("SELECT count(*) AS n FROM t"), "n\n2\n");
  EXPECT_THAT(csv("SELECT nix FROM t"), ::testing::HasSubstr("no such column: nix"));
  access_.url = "odbc:DRIVER=nix;PWD=sesam";
  const auto open = Connection::open(access_);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kUsage);
  EXPECT_THAT(open.error().message, ::testing::Not(::testing::HasSubstr("sesam")));
}

TEST_F(OdbcDatabase, WritesScoresWithTheLettersOfTheirIds) {
  for (int again = 0; again < 2; ++again) {
    int n = 0;
    const auto done = replace_scores(access_, {"scores", {"id"}}, *parse_date("2026-11-28"), "v1",
                                     [&](Connection::Row& row) -> Result<bool> {
                                       if (n == 2) return false;
                                       row = {n++ == 0 ? "가😀나" : "x", "0.5", "1"};
                                       return true;
                                     });
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(csv("SELECT id, decision, logical_date AS d FROM scores ORDER BY id"),
            "id,decision,d\nx,1,2026-11-28\n가😀나,1,2026-11-28\n");
}

}  // namespace
}  // namespace maeil::database
