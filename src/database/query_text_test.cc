#include "database/query_text.h"

namespace maeil::database {
namespace {

Statement made(Kind kind, const std::string& text) {
  const auto statement = make_statement(kind, {"day.sql", text});
  EXPECT_TRUE(statement) << statement.error().message;
  return statement.value_or(Statement{});
}

std::string refused(Kind kind, const std::string& text) {
  const auto statement = make_statement(kind, {"day.sql", text});
  EXPECT_FALSE(statement) << text;
  if (statement) return "";
  EXPECT_EQ(statement.error().code, ErrorCode::kBadInput);
  return statement.error().message;
}

TEST(QueryText, BindsTheDateWhereItStands) {
  const std::string text = "SELECT * FROM loans WHERE day = :date OR opened=:date;\n";
  EXPECT_EQ(made(Kind::kPostgresql, text).sql,
            "SELECT * FROM loans WHERE day = CAST($1 AS date) OR opened=CAST($1 AS date)");
  EXPECT_EQ(made(Kind::kSqlite, text).sql, "SELECT * FROM loans WHERE day = ?1 OR opened=?1");
  EXPECT_EQ(made(Kind::kOdbc, text).sql, "SELECT * FROM loans WHERE day = ? OR opened=?");
  EXPECT_EQ(made(Kind::kOdbc, text).dates, 2);
}

TEST(QueryText, LeavesTextsNamesAndTypesAlone) {
  for (const char* text : {"SELECT ':date', \":date\", 'it''s :date'", "SELECT a::date, b::timestamp(0)",
                           "SELECT a[1:2], a[x:y]", "SELECT E'\\':date', 'x'",
                           "SELECT $$:date ' ; $$, $q$:date $$ $q$", "SELECT a$b, x := 1, j ? 'k'"}) {
    const auto statement = made(Kind::kPostgresql, text);
    EXPECT_EQ(statement.sql, text);
    EXPECT_EQ(statement.dates, 0);
  }
}

TEST(QueryText, TakesCommentsForBlanksAndKeepsLines) {
  const auto statement = made(
      Kind::kPostgresql, "-- it's :x; \n/* a /* nested; */\n :y */ SELECT 1 --x\n, 2 /**/ ; -- ; end\n/* */");
  EXPECT_EQ(statement.sql, " \n \n SELECT 1  \n, 2");
  EXPECT_EQ(made(Kind::kSqlite, "/* a /* b */ SELECT 1").sql, "  SELECT 1");
}

TEST(QueryText, RefusesWhatIsNoSingleQuery) {
  EXPECT_EQ(refused(Kind::kSqlite, "SELECT 1;\nDELETE FROM t"),
            "day.sql:2: a second statement begins here: a file has one query");
  EXPECT_EQ(refused(Kind::kPostgresql, "\n SELECT :day"),
            "day.sql:2: :day stands for a value, and only :date has one");
  EXPECT_EQ(refused(Kind::kPostgresql, "SELECT $1"),
            "day.sql:1: $1 stands for a value, and only :date has one");
  EXPECT_EQ(refused(Kind::kOdbc, "SELECT ?"), "day.sql:1: ? stands for a value, and only :date has one");
  EXPECT_EQ(refused(Kind::kOdbc, "SELECT 'a"), "day.sql:1: the ' is not closed");
  EXPECT_EQ(refused(Kind::kPostgresql, "SELECT /* /* */ 1"), "day.sql:1: the comment is not closed");
  EXPECT_EQ(refused(Kind::kPostgresql, "SELECT $a$ $b$"), "day.sql:1: the text from $a$ is not closed");
  for (const char* text : {"", " \n", "-- nothing", ";;"})
    EXPECT_EQ(refused(Kind::kSqlite, text), "day.sql: there is no query");
  EXPECT_EQ(refused(Kind::kSqlite, "SELECT '\xb0\xa1'"), "day.sql: a query is text in UTF-8");
}

}  // namespace
}  // namespace maeil::database
