#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

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
         key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL, metadata TEXT NOT NULL,
         uploaded INTEGER NOT NULL, length INTEGER, sha256 TEXT))",
    "CREATE TABLE blob_pieces(blob INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL)",
    "CREATE UNIQUE INDEX blob_pieces_by_n ON blob_pieces(blob, n)",
    R"(CREATE TABLE generations(
         key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, collection TEXT NOT NULL, partition TEXT NOT NULL,
         created INTEGER NOT NULL, constants TEXT, columns TEXT, rows INTEGER, pieces INTEGER))",
    R"(CREATE TABLE row_pieces(
         generation INTEGER NOT NULL, n INTEGER NOT NULL, "column" INTEGER NOT NULL, rows INTEGER NOT NULL,
         bytes BLOB NOT NULL, hash INTEGER NOT NULL))",
    R"(CREATE UNIQUE INDEX row_pieces_by_n ON row_pieces(generation, n, "column"))",
    R"(CREATE TABLE partitions(
         seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, partition TEXT NOT NULL,
         generation INTEGER NOT NULL, task_key TEXT, constants TEXT NOT NULL))",
    "CREATE UNIQUE INDEX partitions_by_name ON partitions(collection, partition)",
};

// True when the database has our tables; false when it is empty.
Result<bool> recognise(Connection& connection) {
  MAEIL_ASSIGN(const int64_t application, connection.number("PRAGMA application_id"));
  MAEIL_ASSIGN(const int64_t version, connection.number("PRAGMA user_version"));
  MAEIL_ASSIGN(const int64_t objects, connection.number("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && version == 0 && objects == 0) return false;
  if (application != kApplicationId) {
    return bad_input(fmt::format("store {}: this database belongs to another program: name another file", connection.path()));
  }
  if (version > kSchemaVersion) {
    return bad_input(fmt::format("store {}: written by a newer maeil (schema {}, this one knows {}): use that version or a newer one",
                                 connection.path(), version, kSchemaVersion));
  }
  if (version < 1) return bad_input(fmt::format("store {}: the database is damaged: it names schema {}", connection.path(), version));
  return true;
}

// The change to WAL needs the file for itself for a moment, and SQLite does not wait for that by itself.
Status enter_wal(Connection& connection, int busy_timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
  for (;;) {
    Status done = connection.run("PRAGMA journal_mode=WAL");
    if (done || done.error().code != ErrorCode::kConflict || std::chrono::steady_clock::now() > deadline) return done;
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

Status require_schema(Connection& connection) {
  MAEIL_ASSIGN(const bool ours, recognise_at_once(connection));
  return ours ? Status{} : not_found(fmt::format("{} holds nothing yet", connection.path()));
}

Status prepare_schema(Connection& connection, int busy_timeout_ms) {
  MAEIL_ASSIGN(const bool ours, recognise_at_once(connection));
  if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
    return tl::unexpected<Error>(sqlite_error(SQLITE_READONLY, nullptr, connection.path()));
  }
  if (!ours) MAEIL_TRY(connection.run("PRAGMA auto_vacuum=INCREMENTAL"));  // only possible before the first table
  MAEIL_TRY(enter_wal(connection, busy_timeout_ms));
  if (ours) return {};
  return connection.transaction([&]() -> Status {
    MAEIL_ASSIGN(const bool made_meanwhile, recognise(connection));
    if (made_meanwhile) return {};
    for (const char* sql : kTables) MAEIL_TRY(connection.run(sql));
    MAEIL_TRY(connection.run(fmt::format("PRAGMA application_id={}", kApplicationId).c_str()));
    return connection.run(fmt::format("PRAGMA user_version={}", kSchemaVersion).c_str());
  });
}

}  // namespace maeil::store::sqlite
