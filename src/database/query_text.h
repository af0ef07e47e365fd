// A file with one query, read as far as it must be: where :date stands, and that it is one statement.
//
// The date is bound as a parameter, so nothing of it is ever part of the SQL. Comments become blanks and line
// ends stay, so that the line of a server's error is the file's.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "database/address.h"

namespace maeil::database {

struct Query {
  std::string path;  // of the file, for messages
  std::string text;  // as it is in the file
};

// kNotFound, kIo; kBadInput: longer than a megabyte.
Result<Query> read_query(const std::string& path);

struct Statement {
  std::string sql;  // :date is $1 (PostgreSQL) or ? (SQLite, ODBC)
  int dates = 0;    // how often it stands there
};

// kBadInput, with the line: nothing but comments, several statements, a quote or a comment that is not
// closed, a parameter that is not :date, bytes that are no UTF-8.
Result<Statement> make_statement(Kind kind, const Query& query);

}  // namespace maeil::database
