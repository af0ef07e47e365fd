// SQLite with RAII and values for errors: statements, transactions, and the one map from its codes to ours.
//
// A Connection is used by one thread at a time. The Database owns one connection for writing, under a mutex,
// and lends connections for reading, each with its own snapshot: so a reader's callback may write, and a long
// read blocks nobody.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::store::sqlite {

// A statement in use: bind from 1, step, read columns from 0. Ends its run when destroyed. The views that it
// hands out live until the next step.
class Query {
 public:
  Query(sqlite3_stmt* statement, const std::string& path) : statement_(statement), path_(path) {}
  Query(Query&& other) noexcept : statement_(other.statement_), path_(other.path_), error_(other.error_) {
    other.statement_ = nullptr;
  }
  Query& operator=(Query&&) = delete;
  ~Query();

  Query& bind(int at, std::string_view text);  // the bytes must live until the statement ran
  Query& bind(int at, int64_t number);
  Query& bind_bytes(int at, std::string_view bytes);
  Query& bind_null(int at);

  Query& reset();       // to run it again with other arguments
  Result<bool> step();  // true: a row is there
  Status run();         // step() to the end, for statements without rows

  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  sqlite3_stmt* statement_;
  const std::string& path_;
  int error_ = SQLITE_OK;  // of a bind; step() reports it
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& path,
                                                  const SqliteOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A prepared statement, kept for the next time. REQUIRES: `sql` is a literal, and no Query of the same text
  // is alive.
  Result<Query> query(const char* sql);
  Status run(const char* sql);              // one statement without arguments, not kept
  Result<int64_t> number(const char* sql);  // the first column of its one row
  int64_t changes() const { return sqlite3_changes64(handle_); }
  int64_t last_row_id() const { return sqlite3_last_insert_rowid(handle_); }
  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }
  bool indexed() const { return indexed_; }  // the database has keys for every document (schema.h)
  void set_indexed(bool indexed) { indexed_ = indexed; }

  // body() between BEGIN IMMEDIATE and COMMIT; its error, or one of the commit, rolls everything back.
  Status transaction(const std::function<Status()>& body);
  // body() on one snapshot.
  Status snapshot(const std::function<Status()>& body);

 private:
  explicit Connection(std::string path) : path_(std::move(path)) {}
  Status bracket(const char* begin, const std::function<Status()>& body);
  std::string path_;
  sqlite3* handle_ = nullptr;
  bool indexed_ = false;
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
};

// One sentence with the file's name for a failed call; `handle` may be null.
Error sqlite_error(int code, sqlite3* handle, const std::string& path);

class Database {
 public:
  static Result<std::shared_ptr<Database>> open(const std::filesystem::path& path,
                                                const SqliteOptions& options);

  // Runs body in a write transaction, one at a time.
  Status write(const std::function<Status(Connection&)>& body);
  // Runs step in one write transaction after another until it says false, and leaves as much time in between
  // to other writers.
  Status write_in_steps(const std::function<Result<bool>(Connection&)>& step);
  // Runs body on a snapshot of its own.
  Status read(const std::function<Status(Connection&)>& body);

  const std::filesystem::path& path() const { return path_; }

 private:
  Database(std::filesystem::path path, SqliteOptions options) : path_(std::move(path)), options_(options) {}
  std::filesystem::path path_;
  SqliteOptions options_;
  std::mutex write_mutex_;
  std::unique_ptr<Connection> writer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // idle ones
};

}  // namespace maeil::store::sqlite
