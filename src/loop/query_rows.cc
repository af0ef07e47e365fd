#include "loop/query_rows.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "base/hash.h"
#include "columnar/part_files.h"
#include "database/query_csv.h"
#include "loop/arriving_file.h"

namespace maeil::loop {
namespace {

constexpr std::string_view kQuery = "sql:";

Result<database::Query> query_of(const std::string& name) {
  const std::string path = name.substr(kQuery.size());
  if (path.empty()) return usage_error("sql: names no file with a query: sql:day.sql");
  return database::read_query(path);
}

}  // namespace

bool is_query(std::string_view name) { return name.starts_with(kQuery); }

std::string short_name(const std::string& name) {
  if (is_query(name)) return name;
  std::string path = name;
  while (path.size() > 1 && path.back() == '/') path.pop_back();  // a folder's
  return std::filesystem::path(path).filename().string();
}

database::Access database_access(const Settings& settings) {
  return {settings.database_url, settings.database_timeout, settings.time_zone};
}

database::ScoresTable scores_table(const Settings& settings, const table::DatasetSpec& spec) {
  return {settings.scores_table, spec.roles.id.empty() ? std::vector<std::string>{"row"} : spec.roles.id};
}

Result<TakenQuery> take_query(const Settings& settings, const std::string& name, std::optional<Days> date,
                              const std::string& scratch) {
  MAEIL_ASSIGN(const database::Query query, query_of(name));
  MAEIL_ASSIGN(const bool has_date, query_has_date(settings, name));
  MAEIL_ASSIGN(AtomicFile copy, AtomicFile::create(scratch, AtomicFile::Access::kPrivate));
  MAEIL_ASSIGN(const auto taken, database::write_csv(database_access(settings), query, date, copy));
  return TakenQuery{
      std::move(copy),   taken.sha256,
      taken.rows,        has_date,
      taken.description, {{"source_query", query.text}, {"source_query_sha256", sha256_hex(query.text)}}};
}

Result<bool> query_has_date(const Settings& settings, const std::string& name) {
  MAEIL_ASSIGN(const database::Query query, query_of(name));
  MAEIL_ASSIGN(const auto address, database::parse_address(settings.database_url));
  MAEIL_ASSIGN(const auto statement, database::make_statement(address.kind, query));
  return statement.dates > 0;
}

Result<bool> query_gives_rows(const Settings& settings, const std::string& name, std::optional<Days> date) {
  MAEIL_ASSIGN(const database::Query query, query_of(name));
  return database::gives_rows(database_access(settings), query, date);
}

Result<table::RowFile> open_rows(const Settings& settings, const std::string& name,
                                 const table::DatasetSpec* known, std::optional<Days> date,
                                 std::string* sha256) {
  if (!is_query(name)) {
    MAEIL_ASSIGN(const auto paths, files_of(name));
    std::vector<columnar::Part> parts;
    for (const auto& path : paths) {
      MAEIL_ASSIGN(MappedFile bytes, MappedFile::open(path));
      parts.push_back({std::move(bytes), path, columnar::part_keys(path)});
    }
    const bool one = parts.size() == 1;
    if (sha256 && one) *sha256 = sha256_hex(parts[0].bytes.bytes());
    if (sha256 && !one) {  // for people, to tell files apart: as they lie
      MAEIL_ASSIGN(*sha256, sha256_of(name));
    }
    return one ? table::RowFile::open(std::move(parts[0].bytes), paths[0], known)
               : table::RowFile::open(std::move(parts), name, known);
  }
  std::error_code none;
  const auto folder = std::filesystem::temp_directory_path(none);
  if (none)
    return io_error(fmt::format("TMPDIR names no folder to put the query's rows in: {}", none.message()));
  MAEIL_ASSIGN(const auto taken, take_query(settings, name, date, (folder / "maeil-query.csv").string()));
  MAEIL_ASSIGN(MappedFile bytes, taken.copy.map());
  if (sha256) *sha256 = taken.sha256;
  return table::RowFile::own(std::move(bytes), name);
}

}  // namespace maeil::loop
