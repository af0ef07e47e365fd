#include "database/scores_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace maeil::database {
namespace {

// schema.table as two names, each quoted, so that no name is taken for SQL.
std::string quoted_table(const Connection& connection, const std::string& name) {
  std::string out;
  for (size_t from = 0;;) {
    const size_t dot = name.find('.', from);
    out += connection.quoted(name.substr(from, dot == std::string::npos ? dot : dot - from));
    if (dot == std::string::npos) return out;
    out += '.';
    from = dot + 1;
  }
}

struct Names {
  std::string table;
  std::vector<std::string> columns;  // ids, probability, decision, logical_date, model_version
};

Names names_of(const Connection& connection, const ScoresTable& table) {
  Names out{quoted_table(connection, table.name), {}};
  for (const auto& id : table.ids) out.columns.push_back(connection.quoted(id));
  for (const char* name : {"probability", "decision", "logical_date", "model_version"})
    out.columns.push_back(connection.quoted(name));
  return out;
}

// Asks for nothing of the table, so that it is there, and has the columns.
Status check(Connection& connection, const ScoresTable& table, const Names& names) {
  auto there = connection.execute(
      fmt::format("SELECT {} FROM {} WHERE 1 = 0", fmt::join(names.columns, ", "), names.table), {});
  if (there) return {};
  if (there.error().code != ErrorCode::kBadInput) return tl::make_unexpected(there.error());
  std::string columns;
  for (size_t i = 0; i < table.ids.size(); ++i) columns += fmt::format("{} varchar(255), ", names.columns[i]);
  const size_t first = table.ids.size();
  return bad_input(
      fmt::format("SCORES_TABLE: {}. Scores are written to a table that is there: CREATE TABLE {} ({}{} "
                  "double precision, {} "
                  "integer, {} date, {} varchar(255))",
                  there.error().message, names.table, columns, names.columns[first], names.columns[first + 1],
                  names.columns[first + 2], names.columns[first + 3]));
}

std::string insert_of(const Names& names, size_t rows) {
  std::string one = "(";
  for (size_t i = 0; i < names.columns.size(); ++i) one += i > 0 ? ", ?" : "?";
  one += ')';
  std::string out =
      fmt::format("INSERT INTO {} ({}) VALUES {}", names.table, fmt::join(names.columns, ", "), one);
  for (size_t row = 1; row < rows; ++row) out += ", " + one;
  return out;
}

}  // namespace

Result<std::string> replace_scores(const Access& access, const ScoresTable& table, Days date,
                                   const std::string& version, const NextScore& next) {
  MAEIL_ASSIGN(const auto connection, Connection::open(access));
  const Names names = names_of(*connection, table);
  const std::string day = format_date(date);
  MAEIL_TRY(connection->begin_writing(fmt::format("maeil scores {} {} {}", table.name, day, version)));
  MAEIL_TRY(check(*connection, table, names));
  const size_t first = table.ids.size() + 2;
  MAEIL_TRY(connection->execute(fmt::format("DELETE FROM {} WHERE {} = ? AND {} = ?", names.table,
                                            names.columns[first], names.columns[first + 1]),
                                {day, version}));
  const size_t at_once = connection->rows_of_insert();
  const std::string full = insert_of(names, at_once);
  Connection::Row row, values;
  // The texts of the rows that wait: they are the caller's only until the next is asked for.
  std::vector<std::string> texts;
  uint64_t written = 0;
  const auto write = [&](size_t rows) -> Status {
    values.clear();
    size_t text = 0;
    for (const auto& field : row)
      values.push_back(field ? std::optional<std::string_view>(texts[text++]) : std::nullopt);
    MAEIL_TRY(connection->execute(rows == at_once ? full : insert_of(names, rows), values));
    written += rows;
    row.clear(), texts.clear();
    return {};
  };
  Connection::Row one;
  size_t waiting = 0;
  for (;;) {
    MAEIL_ASSIGN(const bool more, next(one));
    if (!more) break;
    if (one.size() != first) return internal_error("a score has another number of fields than the table");
    one.emplace_back(day), one.emplace_back(version);
    for (const auto& field : one) {
      if (field) texts.emplace_back(*field);
      row.push_back(field ? std::optional<std::string_view>("") : std::nullopt);
    }
    if (++waiting < at_once) continue;
    MAEIL_TRY(write(waiting));
    waiting = 0;
  }
  if (waiting > 0) MAEIL_TRY(write(waiting));
  MAEIL_TRY(connection->commit());
  return fmt::format("{} rows in {} of {}", written, table.name, connection->description());
}

Result<std::string> check_scores_table(const Access& access, const ScoresTable& table) {
  MAEIL_ASSIGN(const auto connection, Connection::open(access));
  MAEIL_TRY(check(*connection, table, names_of(*connection, table)));
  return fmt::format("{} of {}", table.name, connection->description());
}

}  // namespace maeil::database
