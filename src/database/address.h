// Where a database is: DATABASE_URL, taken apart, with what of it no message may show.
//
//   postgresql://user:password@host:port/name?option=value    postgres:// too; options are libpq's
//   sqlite:path/to/file.db                                     sqlite:///absolute/path too
//   odbc:DSN=name;UID=user;PWD=password                        a connection string of ODBC
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace maeil::database {

enum class Kind { kPostgresql, kSqlite, kOdbc };

struct Address {
  Kind kind = Kind::kPostgresql;
  std::string shown;                                         // for people: "postgresql://***@host:5432/name"
  std::vector<std::pair<std::string, std::string>> options;  // PostgreSQL: libpq's keywords and their values
  std::string path;                                          // SQLite: of its file
  std::string connection;                                    // ODBC: its connection string
  std::vector<std::string> secrets;  // passwords, as they may stand in a driver's sentence; longest first
};

// kUsage: no address of these; a password that would be taken for something else. The message shows no part
// of what may be secret.
Result<Address> parse_address(std::string_view url);

// A driver's words for people: on one line, UTF-8, without a password of the address.
std::string scrub(const Address& address, std::string_view words);

}  // namespace maeil::database
