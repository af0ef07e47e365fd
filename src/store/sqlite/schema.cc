#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "store/sqlite/keys.h"

namespace maeil::store::sqlite {
namespace {

constexpr const char* kTables[] = {
    R"(CREATE TABLE documents(
         seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL, task_key TEXT,
         body TEXT NOT NULL, hash INTEGER NOT NULL))",
    "CREATE UNIQUE INDEX documents_by_id ON documents(collection, id)",
    "CREATE INDEX documents_in_order ON documents(collection, seq)",
    "CREATE INDEX documents_by_task ON documents(task_key) WHERE task_key IS NOT NULL",
    R"(CREATE TABLE blobs(
         key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL,
         metadata TEXT NOT NULL, uploaded INTEGER NOT NULL, length INTEGER, sha256 TEXT))",
    "CREATE TABLE blob_pieces(blob INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL)",
    "CREATE UNIQUE INDEX blob_pieces_by_n ON blob_pieces(blob, n)",
    R"(CREATE TABLE generations(
         key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, collection TEXT NOT NULL,
         partition TEXT NOT NULL, created INTEGER NOT NULL, columns TEXT, rows INTEGER,
         pieces INTEGER, constants TEXT))",
    R"(CREATE TABLE row_pieces(
         generation INTEGER NOT NULL, n INTEGER NOT NULL, "column" INTEGER NOT NULL, rows INTEGER NOT NULL,
         bytes BLOB NOT NULL, hash INTEGER NOT NULL))",
    R"(CREATE UNIQUE INDEX row_pieces_by_n ON row_pieces(generation, n, "column"))",
    R"(CREATE TABLE partitions(
         seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, partition TEXT NOT NULL,
         generation INTEGER NOT NULL, task_key TEXT, constants TEXT NOT NULL))",
    "CREATE UNIQUE INDEX partitions_by_name ON partitions(collection, partition)",
};

// What a process of version 1 that goes on writing is told.
#define MAEIL_TOO_OLD                                                                                \
  "BEGIN SELECT RAISE(ABORT, 'a newer maeil has changed this store: start this one again with that " \
  "version'); END"
constexpr const char* kSinceVersion2[] = {
    R"(CREATE TABLE document_keys("index" INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
         PRIMARY KEY("index", key))
       WITHOUT ROWID)",
    "CREATE TRIGGER documents_inserted BEFORE INSERT ON documents " MAEIL_TOO_OLD,
    "CREATE TRIGGER documents_updated BEFORE UPDATE ON documents " MAEIL_TOO_OLD,
    "CREATE TRIGGER documents_deleted BEFORE DELETE ON documents " MAEIL_TOO_OLD,
};
#undef MAEIL_TOO_OLD

// One transaction of a migration holds the write lock for well under a second: 0.05 s for documents of 1 KB.
constexpr int64_t kStepDocuments = 2000;
constexpr size_t kStepBytes = 8 << 20;

// True when the database has our tables; false when it is empty.
Result<bool> recognise(Connection& connection) {
  MAEIL_ASSIGN(const int64_t application, connection.number("PRAGMA application_id"));
  MAEIL_ASSIGN(const int64_t version, connection.number("PRAGMA user_version"));
  MAEIL_ASSIGN(const int64_t objects, connection.number("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && version == 0 && objects == 0) return false;
  if (application != kApplicationId) {
    return bad_input(fmt::format("store {}: this database belongs to another program: name another file",
                                 connection.path()));
  }
  if (version > kSchemaVersion) {
    return bad_input(fmt::format(
        "store {}: written by a newer maeil (schema {}, this one knows {}): use that version or a newer one",
        connection.path(), version, kSchemaVersion));
  }
  if (version < 1)
    return bad_input(
        fmt::format("store {}: the database is damaged: it names schema {}", connection.path(), version));
  return true;
}

Result<int64_t> version_of(Connection& connection) { return connection.number("PRAGMA user_version"); }

// The keys of the documents after the last one that has them, as many as a step takes; false when there are
// none left.
Result<bool> make_keys(Connection& connection, int64_t& done) {
  MAEIL_ASSIGN(done, connection.number("SELECT done FROM migration"));
  int64_t documents = 0;
  size_t bytes = 0;
  {
    MAEIL_ASSIGN(
        Query query,
        connection.query("SELECT seq, collection, id, body FROM documents WHERE seq > ? ORDER BY seq"));
    query.bind(1, done);
    while (documents < kStepDocuments && bytes < kStepBytes) {
      MAEIL_ASSIGN(const bool row, query.step());
      if (!row) break;
      done = query.integer(0);
      MAEIL_TRY(update_keys(connection, query.bytes(1), query.bytes(2), done, "", query.bytes(3)));
      ++documents;
      bytes += query.bytes(3).size();
    }
  }
  if (documents == 0) return false;
  MAEIL_ASSIGN(Query note, connection.query("UPDATE migration SET done = ?"));
  MAEIL_TRY(note.bind(1, done).run());
  return true;
}

Status migrate(Connection& connection, const SqliteOptions& options) {
  const auto tell = [&](const MigrationProgress& progress) {
    if (options.migrating) options.migrating(progress);
  };
  MAEIL_ASSIGN(const int64_t all, connection.number("SELECT ifnull(max(seq), 0) FROM documents"));
  tell({connection.path(), 0, all});
  MAEIL_TRY(connection.transaction([&]() -> Status {
    MAEIL_ASSIGN(const int64_t version, version_of(connection));
    MAEIL_ASSIGN(const int64_t begun,
                 connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'migration'"));
    if (version != 1 || begun) return {};
    for (const char* sql : kSinceVersion2) MAEIL_TRY(connection.run(sql));
    MAEIL_TRY(connection.run("ALTER TABLE generations ADD COLUMN constants TEXT"));
    MAEIL_TRY(connection.run("CREATE TABLE migration(done INTEGER NOT NULL)"));
    return connection.run("INSERT INTO migration VALUES(0)");
  }));
  for (bool more = true; more;) {
    int64_t done = 0;
    MAEIL_TRY(connection.transaction([&]() -> Status {
      MAEIL_ASSIGN(const int64_t version, version_of(connection));
      if (version != 1) {  // another process has done the rest
        more = false;
        return {};
      }
      MAEIL_ASSIGN(more, make_keys(connection, done));
      if (more) return {};
      MAEIL_TRY(connection.run("DROP TABLE migration"));
      return connection.run("PRAGMA user_version=2");
    }));
    tell({connection.path(), more ? done : all, all});
  }
  return {};
}

// The change to WAL needs the file for itself for a moment, and SQLite does not wait for that by itself.
Status enter_wal(Connection& connection, int busy_timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
  for (;;) {
    Status done = connection.run("PRAGMA journal_mode=WAL");
    if (done || done.error().code != ErrorCode::kConflict || std::chrono::steady_clock::now() > deadline)
      return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

namespace {

// In one snapshot: another process may be making the tables between two of its questions.
Result<bool> recognise_at_once(Connection& connection) {
  bool ours = false;
  MAEIL_TRY(connection.snapshot([&]() -> Status {
    MAEIL_ASSIGN(ours, recognise(connection));
    return {};
  }));
  return ours;
}

}  // namespace

Result<int64_t> require_schema(Connection& connection) {
  MAEIL_ASSIGN(const bool ours, recognise_at_once(connection));
  if (!ours) return not_found(fmt::format("{} holds nothing yet", connection.path()));
  return version_of(connection);
}

Status check_version(Connection& connection) {
  MAEIL_ASSIGN(const int64_t version, version_of(connection));
  if (version == kSchemaVersion) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("store {}: a newer maeil has changed this store to schema {} while this one was running: "
                  "start this one again with that version",
                  connection.path(), version));
}

Status prepare_schema(Connection& connection, const SqliteOptions& options) {
  MAEIL_ASSIGN(const bool ours, recognise_at_once(connection));
  if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
    return tl::unexpected<Error>(sqlite_error(SQLITE_READONLY, nullptr, connection.path()));
  }
  if (!ours)
    MAEIL_TRY(connection.run("PRAGMA auto_vacuum=INCREMENTAL"));  // only possible before the first table
  MAEIL_TRY(enter_wal(connection, options.busy_timeout_ms));
  if (!ours) {
    MAEIL_TRY(connection.transaction([&]() -> Status {
      MAEIL_ASSIGN(const bool made_meanwhile, recognise(connection));
      if (made_meanwhile) return {};
      for (const char* sql : kTables) MAEIL_TRY(connection.run(sql));
      for (const char* sql : kSinceVersion2) MAEIL_TRY(connection.run(sql));
      MAEIL_TRY(connection.run(fmt::format("PRAGMA application_id={}", kApplicationId).c_str()));
      return connection.run(fmt::format("PRAGMA user_version={}", kSchemaVersion).c_str());
    }));
  }
  MAEIL_ASSIGN(const int64_t version, version_of(connection));
  return version < kSchemaVersion ? migrate(connection, options) : Status{};
}

}  // namespace maeil::store::sqlite
