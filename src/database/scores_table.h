// A day's scores in a table of the team's own database.
//
// The table is theirs and must be there; what it must have is said with the CREATE TABLE. The rows of a date
// and a model version are replaced by those that come, in one transaction: whoever reads sees the old ones or
// the new ones, and the same scores written again, by a try that is repeated or a date that is done again,
// are there once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "database/connection.h"

namespace maeil::database {

struct ScoresTable {
  std::string name;              // SCORES_TABLE: table, or schema.table
  std::vector<std::string> ids;  // columns that name a row
};

// The next row: an id for each column, the probability, the decision; false behind the last.
using NextScore = std::function<Result<bool>(Connection::Row& row)>;

// Errors of Connection; after any the table is as it was, and the call may be made again. kBadInput, too:
// there is no such table, or it lacks a column. What was written to, for people.
Result<std::string> replace_scores(const Access& access, const ScoresTable& table, Days date,
                                   const std::string& version, const NextScore& next);

// Whether the table is there with its columns. Its name and where it is, for people.
Result<std::string> check_scores_table(const Access& access, const ScoresTable& table);

}  // namespace maeil::database
