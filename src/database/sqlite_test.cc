#include <sqlite3.h>

#include "base/hash.h"
#include "database/query_csv.h"
#include "database/scores_table.h"

namespace maeil::database {
namespace {

namespace fs = std::filesystem;

class SqliteDatabase : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "maeil-database-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    access_.url = "sqlite:" + (folder_ / "rows.db").string();
    access_.timeout = 2;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void sql(const std::string& text) {
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "rows.db").c_str(), &file), SQLITE_OK);
    char* why = nullptr;
    EXPECT_EQ(sqlite3_exec(file, text.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    sqlite3_close(file);
  }

  std::string csv(const std::string& query, std::optional<Days> date = {}) {
    auto out = AtomicFile::create(folder_ / "out.csv");
    const auto taken = write_csv(access_, {"day.sql", query}, date, *out);
    if (!taken) return fmt::format("{}: {}", static_cast<int>(taken.error().code), taken.error().message);
    const auto bytes = out->map();
    EXPECT_EQ(taken->sha256, sha256_hex(bytes->bytes()));
    return std::string(bytes->bytes());
  }

  fs::path folder_;
  Access access_;
};

TEST_F(SqliteDatabase, WritesValuesAsTheTextsThatReadBackTheSame) {
  sql("CREATE TABLE t (i INTEGER, r REAL, x TEXT, n NUMERIC, d DATE);"
      "INSERT INTO t VALUES (9007199254740993, 0.1 + 0.2, '가,\"나\"', '12345678901234567890.5', "
      "'2026-11-28'),"
      "(NULL, -1.2345678901234567e-300, '', 5, '2026-11-27')");
  EXPECT_EQ(
      csv("SELECT * FROM t ORDER BY d DESC"),
      "i,r,x,n,d\n9007199254740993,0.30000000000000004,\"가,\"\"나\"\"\",1.2345678901234567e+19,2026-11-28\n"
      ",-1.2345678901234568e-300,,5,2026-11-27\n");
  EXPECT_EQ(csv("SELECT n FROM t WHERE d = :date", *parse_date("2026-11-27")), "n\n5\n");
  EXPECT_EQ(csv("SELECT NULL AS a"), "a\n\"\"\n");
}

TEST_F(SqliteDatabase, SaysWhatIsWrongWithAQueryAndWhere) {
  sql("CREATE TABLE t (i INTEGER, b)");
  const int bad = static_cast<int>(ErrorCode::kBadInput);
  const auto says = [&](const std::string& what) { return fmt::format("{}: {}", bad, what); };
  EXPECT_EQ(csv("SELECT i,\nj FROM t"), says("day.sql:2: no such column: j (SQLite)"));
  EXPECT_EQ(csv("DELETE FROM t"), says("day.sql: a query only reads, and gives rows"));
  EXPECT_EQ(csv("ATTACH '/tmp/other.db' AS o"), says("day.sql: a query only reads, and gives rows"));
  EXPECT_EQ(csv("SELECT i, i FROM t"),
            says("day.sql: the column 'i' is there twice: give one another name (AS name)"));
  EXPECT_EQ(csv("SELECT $x AS i"), says("day.sql: $name and @name stand for values, and only :date has one"));
  EXPECT_EQ(csv("SELECT \"nix\" FROM t"), says("day.sql:1: no such column: nix (SQLite)"));
  EXPECT_EQ(csv("SELECT x'00' AS b"),
            says("day.sql: row 1: the column 'b' holds bytes, which are no value: leave it "
                 "out, or take a part or a text of it"));
  EXPECT_EQ(csv("SELECT :date AS d"),
            fmt::format("{}: day.sql: the query has :date, and there is no day to put there",
                        static_cast<int>(ErrorCode::kUsage)));
}

TEST_F(SqliteDatabase, EndsAQueryThatTakesTooLong) {
  sql("CREATE TABLE t (i INTEGER)");
  access_.timeout = 1;
  EXPECT_EQ(
      csv("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) AS n FROM c"),
      fmt::format("{}: day.sql: no answer within 1 s (DATABASE_TIMEOUT) (SQLite)",
                  static_cast<int>(ErrorCode::kUnavailable)));
}

TEST_F(SqliteDatabase, AnAbsentFileIsNotMade) {
  EXPECT_EQ(csv("SELECT 1 AS a").substr(0, 2), fmt::format("{}:", static_cast<int>(ErrorCode::kNotFound)));
  EXPECT_FALSE(fs::exists(folder_ / "rows.db"));
}

TEST_F(SqliteDatabase, ReplacesTheScoresOfADateAndVersion) {
  const ScoresTable table{"scores", {"id"}};
  const Days date = *parse_date("2026-11-28");
  const auto write = [&](size_t rows, const std::string& version, size_t fail_at = SIZE_MAX) {
    size_t n = 0;
    std::string id;
    return replace_scores(access_, table, date, version, [&](Connection::Row& row) -> Result<bool> {
      if (n == fail_at) return internal_error("no more");
      if (n == rows) return false;
      id = std::to_string(n++);
      row = {id, "0.25", "0"};
      if (n % 10 == 0) row[0].reset();
      return true;
    });
  };
  sql("CREATE TABLE other (x INTEGER)");
  const auto absent = write(1, "v1");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kBadInput);
  EXPECT_NE(absent.error().message.find("CREATE TABLE \"scores\" (\"id\" varchar(255), \"probability\""),
            std::string::npos)
      << absent.error().message;
  sql("CREATE TABLE scores (id INTEGER, probability REAL, decision INTEGER, logical_date TEXT, model_version "
      "TEXT)");
  for (int again = 0; again < 2; ++again) ASSERT_TRUE(write(250, "v1"));
  ASSERT_TRUE(write(3, "v2"));
  ASSERT_FALSE(write(250, "v1", 220));  // half written, and so not at all
  EXPECT_EQ(
      csv("SELECT model_version AS v, count(*) AS n, count(id) AS ids, sum(id) AS s, sum(probability) AS p, "
          "min(logical_date) AS d, typeof(max(id)) AS t FROM scores GROUP BY 1 ORDER BY 1"),
      "v,n,ids,s,p,d,t\nv1,250,225,27900,62.5,2026-11-28,integer\nv2,3,3,3,0.75,2026-11-28,integer\n");
}

}  // namespace
}  // namespace maeil::database
