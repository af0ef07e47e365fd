#include "store/sqlite/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include "store/sqlite/schema.h"

namespace maeil::store::sqlite {
namespace {

// more than the callbacks that nest or the threads that read at once in a day
constexpr size_t kIdleReaders = 4;

std::string reason(int error) { return std::generic_category().message(error); }

// SIGXFSZ ends a process by default; ignored, the write fails with EFBIG and is reported like a full disk.
void ignore_file_size_signal() {
  struct sigaction action{};
  if (::sigaction(SIGXFSZ, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) ::signal(SIGXFSZ, SIG_IGN);
}

// Where a new database will be: what links lead to a file that is not there yet is followed as SQLite follows
// it.
std::filesystem::path behind_links(std::filesystem::path path) {
  std::error_code no_link;
  for (int links = 0; links < 40; ++links) {
    const auto target = std::filesystem::read_symlink(path, no_link);
    if (no_link) break;
    path = path.parent_path() / target;
  }
  return path;
}

// A new database is for this user alone, and so are the files that SQLite puts beside it: they take its
// permission bits. SQLite itself would give everybody what the umask leaves. Whoever makes the file meanwhile
// made it; nothing is opened that is there.
void make_private(const std::filesystem::path& path) {
  const int fd = ::open(behind_links(path).c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

// SQLite names the journal after the file's name, so that two names of one file have two, and the file is
// damaged sooner or later (sqlite.org/howtocorrupt.html, 2.4). Symbolic links it follows.
Status check_one_name(const std::filesystem::path& path) {
  std::error_code absent;
  const auto names = std::filesystem::hard_link_count(path, absent);
  if (absent || names < 2) return {};
  return bad_input(
      fmt::format("store {}: the file has {} names (hard links), and a database that is opened under two of "
                  "them is damaged: "
                  "remove the others; a copy is made by `sqlite3 {} \".backup copy.db\"`",
                  path.string(), names, path.string()));
}

}  // namespace

Error sqlite_error(int code, sqlite3* handle, const std::string& path) {
  const int system = handle ? sqlite3_system_errno(handle) : 0;
  const auto error = [&](ErrorCode kind, std::string what) {
    return Error{kind, fmt::format("store {}: {}", path, what)};
  };
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return error(ErrorCode::kBadInput,
                   "this file is no SQLite database: move it away or name another file");
    case SQLITE_CORRUPT:
      return error(ErrorCode::kBadInput,
                   "the database is damaged: restore a copy, or move it away to begin a new one");
    case SQLITE_FULL:
      return error(ErrorCode::kIo, "cannot write: the disk is full");
    case SQLITE_READONLY:
      return error(ErrorCode::kIo, "cannot write: the file or its folder is read-only for this user");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorCode::kIo,
                   fmt::format("cannot open it{}: check that the file and its folder may be read and written",
                               system ? " (" + reason(system) + ")" : ""));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(ErrorCode::kConflict, "another process has been writing to it for too long: try again");
    case SQLITE_IOERR:
      return error(ErrorCode::kIo, fmt::format("the system refused to read or write it: {}",
                                               system ? reason(system) : std::string(sqlite3_errstr(code))));
    case SQLITE_NOMEM:
      return error(ErrorCode::kIo, "not enough memory");
    case SQLITE_TOOBIG:
      return error(ErrorCode::kBadInput, "a value is larger than SQLite can hold");
    default:
      return error(ErrorCode::kInternal, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  }
}

Query::~Query() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(int at, std::string_view text) {
  const int code = sqlite3_bind_text64(statement_, at, text.data() ? text.data() : "", text.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) error_ = code;
  return *this;
}

Query& Query::bind(int at, int64_t number) {
  const int code = sqlite3_bind_int64(statement_, at, number);
  if (code != SQLITE_OK) error_ = code;
  return *this;
}

Query& Query::bind_bytes(int at, std::string_view bytes) {
  const int code =
      sqlite3_bind_blob64(statement_, at, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) error_ = code;
  return *this;
}

Query& Query::bind_null(int at) {
  const int code = sqlite3_bind_null(statement_, at);
  if (code != SQLITE_OK) error_ = code;
  return *this;
}

Query& Query::reset() {
  sqlite3_reset(statement_);
  return *this;
}

Result<bool> Query::step() {
  if (error_ != SQLITE_OK) return tl::unexpected<Error>(sqlite_error(error_, nullptr, path_));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return tl::unexpected<Error>(sqlite_error(code, sqlite3_db_handle(statement_), path_));
}

Status Query::run() {
  for (;;) {
    MAEIL_ASSIGN(const bool row, step());
    if (!row) return {};
  }
}

std::string_view Query::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(data),
          data ? static_cast<size_t>(sqlite3_column_bytes(statement_, column)) : 0};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& path,
                                                     const SqliteOptions& options) {
  std::unique_ptr<Connection> connection(new Connection(path.string()));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (options.create && !options.read_only ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &connection->handle_, flags, nullptr);
  if (code != SQLITE_OK)
    return tl::unexpected<Error>(sqlite_error(code, connection->handle_, connection->path_));
  sqlite3_busy_timeout(connection->handle_, options.busy_timeout_ms);
  // A damaged file must not be able to run what its schema says, nor to lead us astray by crafted records.
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // those of schema.cc are for older programs
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  MAEIL_TRY(connection->run("PRAGMA cell_size_check=ON"));
  MAEIL_TRY(connection->run("PRAGMA synchronous=FULL"));
  // Not SQLITE_OPEN_READONLY: the last one to close such a connection would leave the files of the journal
  // behind.
  if (options.read_only) MAEIL_TRY(connection->run("PRAGMA query_only=ON"));
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Result<Query> Connection::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (!statement) {
    const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return tl::unexpected<Error>(sqlite_error(code, handle_, path_));
  }
  return Query(statement, path_);
}

Status Connection::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::unexpected<Error>(sqlite_error(code, handle_, path_));
  return {};
}

Result<int64_t> Connection::number(const char* sql) {
  MAEIL_ASSIGN(Query statement, query(sql));
  MAEIL_ASSIGN(const bool row, statement.step());
  if (!row) return internal_error(fmt::format("store {}: no row from {}", path_, sql));
  return statement.integer(0);
}

Status Connection::bracket(const char* begin, const std::function<Status()>& body) {
  MAEIL_TRY(run(begin));
  Status done = body();
  if (done) done = run("COMMIT");
  if (!done && !sqlite3_get_autocommit(handle_)) {
    // Whatever ROLLBACK says, the first error is the one to tell.
    (void)run("ROLLBACK");
  }
  return done;
}

Status Connection::transaction(const std::function<Status()>& body) {
  return bracket("BEGIN IMMEDIATE", body);
}
Status Connection::snapshot(const std::function<Status()>& body) { return bracket("BEGIN", body); }

Result<std::shared_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const SqliteOptions& options) {
  ignore_file_size_signal();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return io_error(fmt::format("store {}: this is a folder, not a database file", path.string()));
  // SQLite takes a file of one byte for an empty database.
  const auto size = std::filesystem::file_size(path, ignored);
  if (!ignored && size > 0 && size < 512)
    return tl::unexpected<Error>(sqlite_error(SQLITE_NOTADB, nullptr, path.string()));
  const bool create = options.create && !options.read_only;
  if (!create && !std::filesystem::exists(path, ignored)) {
    return not_found(fmt::format("there is no store {}: `maeil run` makes one", path.string()));
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::exists(path, ignored) && ::access(folder.c_str(), W_OK | X_OK) != 0) {
    return io_error(fmt::format("cannot make the store {}: {}", path.string(), reason(errno)));
  }
  MAEIL_TRY(check_one_name(path));
  if (create && !std::filesystem::exists(path, ignored)) make_private(path);
  std::shared_ptr<Database> database(new Database(path, options));
  MAEIL_ASSIGN(database->writer_, Connection::open(path, options));
  if (!options.read_only) MAEIL_TRY(prepare_schema(*database->writer_, options));
  MAEIL_ASSIGN(const int64_t version, require_schema(*database->writer_));
  database->writer_->set_indexed(version >= 2);
  database->options_.create = false;
  return database;
}

Status Database::write(const std::function<Status(Connection&)>& body) {
  std::lock_guard lock(write_mutex_);
  return writer_->transaction([&]() -> Status {
    MAEIL_TRY(check_version(*writer_));
    return body(*writer_);
  });
}

Status Database::write_in_steps(const std::function<Result<bool>(Connection&)>& step) {
  for (bool more = true;;) {
    const auto begun = std::chrono::steady_clock::now();
    MAEIL_TRY(write([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(more, step(connection));
      return {};
    }));
    if (!more) return {};
    // Whoever waits for the lock asks every 0.1 s at least (SQLite's busy handler).
    const auto taken =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    std::this_thread::sleep_for(std::min(taken, std::chrono::microseconds(100'000)));
  }
}

Status Database::read(const std::function<Status(Connection&)>& body) {
  std::unique_ptr<Connection> reader;
  {
    std::lock_guard lock(readers_mutex_);
    if (!readers_.empty()) {
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  if (!reader) {
    MAEIL_ASSIGN(reader, Connection::open(path_, options_));
    reader->set_indexed(writer_->indexed());
  }
  Status done = reader->snapshot([&] { return body(*reader); });
  std::lock_guard lock(readers_mutex_);
  if (readers_.size() < kIdleReaders) readers_.push_back(std::move(reader));
  return done;
}

}  // namespace maeil::store::sqlite
