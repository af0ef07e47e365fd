// Rows that a database gives: wherever a file of rows is named, `sql:` and a file with a query may be named
// too. What the query gives becomes plain CSV (database/query_csv.h), which is then read as a file of our
// own, so that nothing of it is guessed and every database gives the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/settings.h"
#include "base/time.h"
#include "database/connection.h"
#include "database/scores_table.h"
#include "store/document.h"
#include "table/row_file.h"

namespace maeil::loop {

// "sql:day.sql"
bool is_query(std::string_view name);

// A name of rows for people and documents: of a path its last part, of a query the whole name.
std::string short_name(const std::string& name);

// DATABASE_URL and what belongs to it.
database::Access database_access(const Settings& settings);
// SCORES_TABLE, and the columns of it that name a row.
database::ScoresTable scores_table(const Settings& settings, const table::DatasetSpec& spec);

struct TakenQuery {
  AtomicFile copy;  // the CSV, without a name, and gone with this; what is mapped of it stays
  std::string sha256;
  uint64_t rows = 0;
  bool has_date = false;  // :date stands in the query
  std::string how;        // for people: "PostgreSQL 15.13, postgresql://***@db/credit"
  store::Document facts;  // what documents say of it: source_query, source_query_sha256
};
// Asks the database now. `date`: bound to :date. Errors of database::Connection and read_query. The copy is
// made beside `scratch`, and nobody else may read it.
Result<TakenQuery> take_query(const Settings& settings, const std::string& name, std::optional<Days> date,
                              const std::string& scratch);

// Whether :date stands in the query; its file is read, and the database not asked.
Result<bool> query_has_date(const Settings& settings, const std::string& name);

// Whether the query gives at least one row.
Result<bool> query_gives_rows(const Settings& settings, const std::string& name, std::optional<Days> date);

// RowFile::open of a file, of several that are parts (files_of), or of what a query gives. kUsage: the query
// has :date, and there is no `date`. `sha256`: is set to that of the bytes, also where they are no rows; may
// be null.
Result<table::RowFile> open_rows(const Settings& settings, const std::string& name,
                                 const table::DatasetSpec* known, std::optional<Days> date = {},
                                 std::string* sha256 = nullptr);

}  // namespace maeil::loop
