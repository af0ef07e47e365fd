// A file of SQLite, by the library that the store has too. One statement sees one state of the file; for a
// query it is opened read-only.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "database/connection.h"
#include "format/number_text.h"

namespace maeil::database {
namespace {

using Clock = std::chrono::steady_clock;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

class Sqlite : public Connection {
 public:
  Sqlite(const Address& address, const Access& access) : address_(address), access_(access) {}
  ~Sqlite() override {
    statement_.reset();
    sqlite3_close_v2(file_);  // rolls back
  }

  Status open(int flags) {
    sqlite3_close_v2(file_);
    file_ = nullptr;
    const int code = sqlite3_open_v2(address_.path.c_str(), &file_, flags | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) {
      const bool absent = (code & 0xFF) == SQLITE_CANTOPEN;
      return fail(absent ? ErrorCode::kNotFound : ErrorCode::kIo,
                  fmt::format("{}: {}", address_.shown, sqlite3_errstr(code)));
    }
    sqlite3_busy_timeout(file_, static_cast<int>(access_.timeout * 1000));
    // A name in double quotes that is no column would otherwise be a text.
    sqlite3_db_config(file_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_limit(file_, SQLITE_LIMIT_ATTACHED, 0);  // the query's database is this one
    sqlite3_progress_handler(
        file_, 10000,
        [](void* self) { return Clock::now() > static_cast<const Sqlite*>(self)->deadline_ ? 1 : 0; }, this);
    deadline_ = Clock::now() + std::chrono::seconds(access_.timeout);
    // Opening reads nothing: what is no database says so here.
    if (sqlite3_exec(file_, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) != SQLITE_OK)
      return error(address_.shown);
    return {};
  }

  std::string description() const override {
    return fmt::format("SQLite {}, {}", sqlite3_libversion(), address_.shown);
  }

  Result<std::vector<std::string>> begin_query(const Query& query, std::optional<Days> date) override {
    query_ = query;
    MAEIL_ASSIGN(const Statement statement, make_statement(Kind::kSqlite, query));
    MAEIL_ASSIGN(const std::string bound, date_to_bind(statement, query, date));
    MAEIL_TRY(prepare(statement.sql, query.path));
    if (!statement_ || sqlite3_stmt_readonly(statement_.get()) == 0 ||
        sqlite3_column_count(statement_.get()) == 0)
      return bad_input(fmt::format("{}: a query only reads, and gives rows", query.path));
    if (sqlite3_bind_parameter_count(statement_.get()) > (statement.dates > 0 ? 1 : 0))
      return bad_input(
          fmt::format("{}: $name and @name stand for values, and only :date has one", query.path));
    if (statement.dates > 0) sqlite3_bind_text(statement_.get(), 1, bound.c_str(), -1, SQLITE_TRANSIENT);
    deadline_ = Clock::now() + std::chrono::seconds(access_.timeout);
    for (int c = 0; c < sqlite3_column_count(statement_.get()); ++c)
      names_.emplace_back(sqlite3_column_name(statement_.get(), c));
    texts_.resize(names_.size());
    return names_;
  }

  Result<bool> next(Row& row) override {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_DONE) return false;
    if (code != SQLITE_ROW) return error(query_.path);
    ++rows_;
    if (rows_ % 4096 == 0) deadline_ = Clock::now() + std::chrono::seconds(access_.timeout);
    row.resize(names_.size());
    for (size_t c = 0; c < names_.size(); ++c) {
      const int column = static_cast<int>(c);
      switch (sqlite3_column_type(statement_.get(), column)) {
        case SQLITE_NULL:
          row[c].reset();
          break;
        case SQLITE_BLOB:
          return bad_input(
              fmt::format("{}: row {}: the column '{}' holds bytes, which are no value: leave it out, or "
                          "take a part or a text of it",
                          query_.path, rows_, names_[c]));
        case SQLITE_FLOAT: {  // whose text of SQLite's has 15 digits
          const double value = sqlite3_column_double(statement_.get(), column);
          texts_[c].clear();
          if (std::isfinite(value))
            format::append_float(texts_[c], value);
          else
            texts_[c] = value > 0 ? "Infinity" : "-Infinity";
          row[c] = texts_[c];
          break;
        }
        default: {
          const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
          if (!text) return error(query_.path);
          row[c] = {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
        }
      }
    }
    return true;
  }

  Status begin_writing(const std::string&) override {
    MAEIL_TRY(open(SQLITE_OPEN_READWRITE));
    MAEIL_ASSIGN([[maybe_unused]] const uint64_t none, execute("BEGIN IMMEDIATE", {}));
    return {};
  }

  Result<uint64_t> execute(const std::string& sql, const Row& values) override {
    if (sql != prepared_) {
      MAEIL_TRY(prepare(sql, address_.shown));
      prepared_ = sql;
    }
    deadline_ = Clock::now() + std::chrono::seconds(access_.timeout);
    for (size_t i = 0; i < values.size(); ++i) {
      const int place = static_cast<int>(i) + 1;
      if (values[i])
        sqlite3_bind_text(statement_.get(), place, values[i]->data(), static_cast<int>(values[i]->size()),
                          SQLITE_STATIC);
      else
        sqlite3_bind_null(statement_.get(), place);
    }
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(statement_.get());
    if (code != SQLITE_DONE) return error(address_.shown);
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    return static_cast<uint64_t>(sqlite3_changes64(file_));
  }

  Status commit() override {
    MAEIL_ASSIGN([[maybe_unused]] const uint64_t none, execute("COMMIT", {}));
    return {};
  }

  size_t rows_of_insert() const override { return 100; }

 private:
  Status prepare(const std::string& sql, const std::string& place) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code =
        sqlite3_prepare_v2(file_, sql.c_str(), static_cast<int>(sql.size()) + 1, &statement, &rest);
    statement_.reset(statement);
    if (code != SQLITE_OK) {
      const int offset = sqlite3_error_offset(file_);
      if (offset < 0 || query_.path.empty()) return error(place);
      const std::string_view before = std::string_view(sql).substr(0, static_cast<size_t>(offset));
      return error(fmt::format("{}:{}", place, 1 + std::ranges::count(before, '\n')));
    }
    if (rest && std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos)
      return bad_input(fmt::format("{}: a file has one query", place));
    return {};
  }

  tl::unexpected<Error> error(const std::string& place) const {
    const int extended = sqlite3_extended_errcode(file_), code = extended & 0xFF;
    std::string what = scrub(address_, sqlite3_errmsg(file_));
    if (code == SQLITE_INTERRUPT)
      what = fmt::format("no answer within {} s (DATABASE_TIMEOUT)", access_.timeout);
    const bool passes =
        code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_INTERRUPT || code == SQLITE_PROTOCOL;
    const bool system = code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_NOMEM ||
                        code == SQLITE_READONLY || code == SQLITE_CANTOPEN;
    return fail(passes   ? ErrorCode::kUnavailable
                : system ? ErrorCode::kIo
                         : ErrorCode::kBadInput,
                fmt::format("{}: {} (SQLite)", place, what));
  }

  const Address address_;
  const Access access_;
  sqlite3* file_ = nullptr;
  Prepared statement_;
  Clock::time_point deadline_;
  Query query_;
  std::vector<std::string> names_, texts_;
  std::string prepared_;
  uint64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_sqlite(const Address& address, const Access& access) {
  auto out = std::make_unique<Sqlite>(address, access);
  MAEIL_TRY(out->open(SQLITE_OPEN_READONLY));
  return out;
}

}  // namespace maeil::database
