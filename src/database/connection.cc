#include "database/connection.h"

#include <fmt/format.h>

namespace maeil::database {

Result<std::unique_ptr<Connection>> Connection::open(const Access& access) {
  MAEIL_ASSIGN(const Address address, parse_address(access.url));
  switch (address.kind) {
    case Kind::kPostgresql:
      return open_postgresql(address, access);
    case Kind::kSqlite:
      return open_sqlite(address, access);
    case Kind::kOdbc:
      return open_odbc(address, access);
  }
  return internal_error("a database of no kind");
}

std::string Connection::quoted(const std::string& name) const {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

Result<std::string> date_to_bind(const Statement& statement, const Query& query, std::optional<Days> date) {
  if (statement.dates == 0) return std::string();
  if (!date)
    return usage_error(fmt::format("{}: the query has :date, and there is no day to put there", query.path));
  return format_date(*date);
}

}  // namespace maeil::database
