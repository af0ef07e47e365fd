#include "database/query_csv.h"

#include <fmt/format.h>

#include <set>

#include "base/hash.h"
#include "format/csv.h"

namespace maeil::database {
namespace {

constexpr size_t kPiece = 1 << 20;

Status check_names(const std::vector<std::string>& names, const std::string& place) {
  std::set<std::string_view> known;
  for (const auto& name : names) {
    // As PostgreSQL calls what has no name.
    if (name.empty() || name == "?column?")
      return bad_input(
          fmt::format("{}: column {} has no name: give it one (AS name)", place, known.size() + 1));
    if (!known.insert(name).second)
      return bad_input(
          fmt::format("{}: the column '{}' is there twice: give one another name (AS name)", place, name));
  }
  return {};
}

}  // namespace

Result<QueryRows> write_csv(const Access& access, const Query& query, std::optional<Days> date,
                            AtomicFile& out) {
  MAEIL_ASSIGN(const auto connection, Connection::open(access));
  MAEIL_ASSIGN(const auto names, connection->begin_query(query, date));
  MAEIL_TRY(check_names(names, query.path));
  QueryRows done{.columns = names.size(), .description = connection->description()};
  Sha256 hash;
  std::string piece;
  const auto write = [&]() -> Status {
    hash.update(piece);
    MAEIL_TRY(out.write(piece));
    piece.clear();
    return {};
  };
  Connection::Row row(names.begin(), names.end());
  const auto add = [&] {
    const size_t begin = piece.size();
    for (size_t c = 0; c < row.size(); ++c) {
      if (c > 0) piece += ',';
      if (row[c]) format::append_csv_text(piece, *row[c]);
    }
    if (piece.size() == begin) piece += "\"\"";  // an empty line would be no row
    piece += '\n';
  };
  add();
  for (;;) {
    MAEIL_ASSIGN(const bool more, connection->next(row));
    if (!more) break;
    add();
    ++done.rows;
    if (piece.size() >= kPiece) MAEIL_TRY(write());
  }
  MAEIL_TRY(write());
  done.sha256 = hash.hex();
  return done;
}

Result<bool> gives_rows(const Access& access, const Query& query, std::optional<Days> date) {
  MAEIL_ASSIGN(const auto connection, Connection::open(access));
  MAEIL_ASSIGN(const auto names, connection->begin_query(query, date));
  MAEIL_TRY(check_names(names, query.path));
  Connection::Row row;
  return connection->next(row);
}

}  // namespace maeil::database
