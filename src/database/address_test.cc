#include "database/address.h"

namespace maeil::database {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

TEST(Address, TakesAPostgresqlUrlApart) {
  const auto address =
      parse_address("postgresql://risk:p%40ss%2Fword@db.example:5433/credit?sslmode=require");
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_EQ(address->options, (Options{{"user", "risk"},
                                       {"password", "p@ss/word"},
                                       {"host", "db.example"},
                                       {"port", "5433"},
                                       {"dbname", "credit"},
                                       {"sslmode", "require"}}));
  EXPECT_EQ(address->shown, "postgresql://***@db.example:5433/credit?sslmode=require");
}

TEST(Address, KnowsSocketsSeveralHostsAndIpv6) {
  EXPECT_EQ(parse_address("postgres:///credit?host=/run/postgresql")->options,
            (Options{{"dbname", "credit"}, {"host", "/run/postgresql"}}));
  EXPECT_EQ(parse_address("postgresql://%2Frun%2Fpg/credit")->options,
            (Options{{"host", "/run/pg"}, {"dbname", "credit"}}));
  EXPECT_EQ(parse_address("postgresql://a:1,[::1]:2,c/credit")->options,
            (Options{{"host", "a,::1,c"}, {"port", "1,2,"}, {"dbname", "credit"}}));
}

TEST(Address, KnowsFilesOfSqliteAndConnectionStrings) {
  EXPECT_EQ(parse_address("sqlite:rows/a b.db")->path, "rows/a b.db");
  EXPECT_EQ(parse_address("sqlite:///var/a.db")->path, "/var/a.db");
  const auto odbc = parse_address("odbc:DSN=risk;UID=me;PWD={a;b}}c};Database=x");
  ASSERT_TRUE(odbc) << odbc.error().message;
  EXPECT_EQ(odbc->connection, "DSN=risk;UID=me;PWD={a;b}}c};Database=x");
  EXPECT_EQ(odbc->shown, "odbc:DSN=risk;UID=me;PWD=***;Database=x");
}

// What would be cut within a password is refused, and no part of it is said.
TEST(Address, RefusesWhatIsNoAddressWithoutItsPassword) {
  for (const char* url :
       {"", "credit", "mysql://u:zebfish@h/d", "oracle://u:zebfish@h/d", "postgresql://u:zeb/fish@h/d",
        "postgresql://u:zeb@fish@h/d", "postgresql://u:zeb?fish@h/d", "postgresql://u:zebfish#x@h/d",
        "postgresql://u:zeb%2xfish@h/d", "postgresql://u:zeb%00fish@h/d", "postgresql://h:zebfish/d",
        "postgresql://h/d?zebfish", "postgresql://[::1/d", "sqlite:", "sqlite::memory:", "odbc:zebfish",
        "odbc:PWD={zebfish"}) {
    const auto address = parse_address(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code, ErrorCode::kUsage) << url;
    EXPECT_EQ(address.error().message.find("fish"), std::string::npos) << address.error().message;
    EXPECT_NE(address.error().message.find("DATABASE_URL"), std::string::npos);
  }
}

TEST(Address, HidesPasswordsInADriversWords) {
  const auto address = *parse_address("postgresql://u:p%40ss@h/d?sslpassword=zwei");
  EXPECT_EQ(scrub(address, "no\n\tlogin with p@ss, p%40ss\x01or zwei \n"), "no login with ***, *** or ***");
  EXPECT_EQ(scrub(address, "\xb0\xa1 no"), "?? no");
  EXPECT_EQ(scrub(*parse_address("odbc:PWD={x}}y};DSN=a"), "PWD={x}}y} x}}y"), "PWD=*** ***");
}

}  // namespace
}  // namespace maeil::database
