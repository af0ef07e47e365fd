// One session with a database, of whatever kind: rows of a query as texts, and rows written in a transaction.
//
// Values come as the texts that read back the same: numbers with all their digits, dates as YYYY-MM-DD, times
// behind them, booleans as True and False, text as UTF-8. The drivers are loaded when a database is first
// spoken to; a program that needs none starts without them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "database/address.h"
#include "database/query_text.h"

namespace maeil::database {

struct Access {
  std::string url;                // DATABASE_URL
  int64_t timeout = 300;          // seconds: to connect, and of each statement
  std::string time_zone = "UTC";  // of timestamps with a zone, where the database knows sessions with one
};

// Errors of all calls: kUnavailable, what may pass (no connection, a time-out, a conflict with others);
// kBadInput, what will not (wrong SQL, no such table, no right); kNotFound, no such database file or driver;
// kUsage, a wrong address. The sentence is the database's, without a password. After an error there is
// nothing to be done but to let the object go. Not thread safe.
class Connection {
 public:
  using Row = std::vector<std::optional<std::string_view>>;  // nullopt: NULL

  static Result<std::unique_ptr<Connection>> open(const Access& access);
  virtual ~Connection() = default;  // rolls back what was not committed

  // For people: "PostgreSQL 15.13, postgresql://***@db:5432/credit"
  virtual std::string description() const = 0;

  // Begins a query in a transaction that only reads and sees one state of the database. The names of its
  // columns. kUsage: it has :date, and there is none. REQUIRES: called once, and nothing is written.
  virtual Result<std::vector<std::string>> begin_query(const Query& query, std::optional<Days> date) = 0;
  // The next row; false behind the last. The texts are valid until the next call. Memory: of some megabytes
  // of rows, or of one row, whichever is more.
  virtual Result<bool> next(Row& row) = 0;

  // A transaction that writes; of two with the same `lock` the later waits for the end of the other, where
  // the database can have it so. Before it, execute() only reads.
  virtual Status begin_writing(const std::string& lock) = 0;
  // One statement with ? for each value in order. How many rows it changed.
  virtual Result<uint64_t> execute(const std::string& sql, const Row& values) = 0;
  virtual Status commit() = 0;
  // A name as SQL has it, whatever is in it.
  virtual std::string quoted(const std::string& name) const;
  // How many rows one INSERT may hold.
  virtual size_t rows_of_insert() const = 0;
};

Result<std::unique_ptr<Connection>> open_postgresql(const Address& address, const Access& access);
Result<std::unique_ptr<Connection>> open_sqlite(const Address& address, const Access& access);
Result<std::unique_ptr<Connection>> open_odbc(const Address& address, const Access& access);

// "no :date to bind" and its like, the same for every kind. The date as text, where the statement has one.
Result<std::string> date_to_bind(const Statement& statement, const Query& query, std::optional<Days> date);

}  // namespace maeil::database
