// A query's rows as a file of plain CSV: the form in which every other part of maeil reads rows, the same for
// every database.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "database/connection.h"

namespace maeil::database {

struct QueryRows {
  uint64_t rows = 0, columns = 0;
  std::string sha256;       // of the CSV
  std::string description;  // of the database
};

// Writes a line of the columns' names, then one for each row, in the order in which they came: commas, double
// quotes where they are needed, NULL an empty field. Errors of Connection; kBadInput: a column without a
// name, or two of one name.
Result<QueryRows> write_csv(const Access& access, const Query& query, std::optional<Days> date,
                            AtomicFile& out);

// Whether the query gives a row, of which only that is asked.
Result<bool> gives_rows(const Access& access, const Query& query, std::optional<Days> date);

}  // namespace maeil::database
