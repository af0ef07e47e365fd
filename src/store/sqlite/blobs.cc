#include "store/sqlite/blobs.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/hash.h"
#include "store/sqlite/documents.h"

namespace maeil::store::sqlite {
namespace {

constexpr size_t kPieceBytes = 1 << 20;  // one transaction and one sync each: 64 MiB take 64 of them

class SqliteBlobWriter : public BlobWriter {
 public:
  SqliteBlobWriter(std::shared_ptr<Database> database, int64_t key, std::string id, Instant uploaded)
      : database_(std::move(database)), key_(key), id_(std::move(id)), uploaded_(uploaded) {}

  Status write(std::string_view bytes) override {
    if (finished_) return internal_error(fmt::format("blob {}: write after finish", id_));
    hash_.update(bytes);
    length_ += static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
      const size_t count = std::min(bytes.size(), kPieceBytes - pending_.size());
      pending_ += bytes.substr(0, count);
      bytes.remove_prefix(count);
      if (pending_.size() == kPieceBytes) {
        MAEIL_TRY(database_->write([&](Connection& connection) { return flush(connection); }));
        flushed();
      }
    }
    return {};
  }

  Result<std::string> finish() override {
    if (finished_) return internal_error(fmt::format("blob {}: finish twice", id_));
    finished_ = true;
    const std::string sha256 = hash_.hex();
    MAEIL_TRY(database_->write([&](Connection& connection) -> Status {
      if (!pending_.empty()) MAEIL_TRY(flush(connection));
      const int64_t pieces = pieces_ + (pending_.empty() ? 0 : 1);
      {
        MAEIL_ASSIGN(Query count,
                     connection.query(
                         "SELECT count(*), ifnull(sum(length(bytes)), 0) FROM blob_pieces WHERE blob = ?"));
        count.bind(1, key_);
        MAEIL_TRY(count.step());
        if (count.integer(0) != pieces || count.integer(1) != length_) return removed();
      }
      MAEIL_ASSIGN(Query seal, connection.query(R"(UPDATE blobs SET length = ?, sha256 = ?, uploaded = ?
          WHERE key = ? AND length IS NULL AND uploaded > 0)"));
      MAEIL_TRY(seal.bind(1, length_)
                    .bind(2, sha256)
                    .bind(3, (uploaded_ == Instant{} ? now() : uploaded_).time_since_epoch().count())
                    .bind(4, key_)
                    .run());
      return connection.changes() == 1 ? Status{} : removed();
    }));
    return id_;
  }

 private:
  tl::unexpected<Error> removed() const {
    return not_found(fmt::format(
        "blob {} was removed before it was complete: nothing was written to it for too long; write it again",
        id_));
  }

  // Shows that it is under way, too: garbage is what has not been written to for long.
  Status flush(Connection& connection) {
    MAEIL_ASSIGN(
        Query renew,
        connection.query("UPDATE blobs SET uploaded = ? WHERE key = ? AND length IS NULL AND uploaded > 0"));
    MAEIL_TRY(renew.bind(1, now().time_since_epoch().count()).bind(2, key_).run());
    if (connection.changes() != 1) return removed();
    MAEIL_ASSIGN(Query insert, connection.query("INSERT INTO blob_pieces(blob, n, bytes) VALUES(?, ?, ?)"));
    return insert.bind(1, key_).bind(2, pieces_).bind_bytes(3, pending_).run();
  }
  void flushed() {
    pending_.clear();
    ++pieces_;
  }

  std::shared_ptr<Database> database_;
  int64_t key_;
  std::string id_, pending_;
  Instant uploaded_;
  Sha256 hash_;
  int64_t length_ = 0, pieces_ = 0;
  bool finished_ = false;
};

constexpr const char* kDropPieces = "DELETE FROM blob_pieces WHERE blob = ?";
constexpr const char* kDropBlob = "DELETE FROM blobs WHERE key = ?";

// 8 MB at most each: the write lock is held for 0.05 s.
constexpr const char* kDropBlobPieces =
    "DELETE FROM blob_pieces WHERE rowid IN (SELECT rowid FROM blob_pieces WHERE blob = ? LIMIT 8)";
constexpr const char* kDropRowPieces =
    "DELETE FROM row_pieces WHERE rowid IN (SELECT rowid FROM row_pieces WHERE generation = ? LIMIT 256)";
constexpr const char* kDropGeneration = "DELETE FROM generations WHERE key = ?";

// The pieces of what is condemned, and at last its entry.
Status drop_pieces(Database& database, const char* pieces_sql, const char* head_sql, int64_t key) {
  return database.write_in_steps([&](Connection& connection) -> Result<bool> {
    MAEIL_ASSIGN(Query pieces, connection.query(pieces_sql));
    MAEIL_TRY(pieces.bind(1, key).run());
    if (connection.changes() > 0) return true;
    MAEIL_ASSIGN(Query head, connection.query(head_sql));
    MAEIL_TRY(head.bind(1, key).run());
    return false;
  });
}

Result<std::vector<int64_t>> unpublished_generations(Connection& connection, Instant before) {
  std::vector<int64_t> keys;
  MAEIL_ASSIGN(Query query, connection.query("SELECT key FROM generations WHERE created < ? AND key NOT IN "
                                             "(SELECT generation FROM partitions)"));
  query.bind(1, before.time_since_epoch().count());
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) return keys;
    keys.push_back(query.integer(0));
  }
}

Status drop_blob_by_key(Connection& connection, int64_t key) {
  for (const char* sql : {kDropPieces, kDropBlob}) {
    MAEIL_ASSIGN(Query drop, connection.query(sql));
    MAEIL_TRY(drop.bind(1, key).run());
  }
  return {};
}

// 0 when there is none.
Result<int64_t> key_of(Connection& connection, std::string_view id) {
  MAEIL_ASSIGN(Query find, connection.query("SELECT key FROM blobs WHERE id = ?"));
  find.bind(1, id);
  MAEIL_ASSIGN(const bool found, find.step());
  return found ? find.integer(0) : 0;
}

// Removes from `ids` those that occur as a JSON string in `text`. An id is 24 hex digits between quotes.
void remove_named(std::string_view text, std::unordered_set<std::string>& ids) {
  for (size_t at = text.find('"'); at != std::string_view::npos && at + 25 < text.size();
       at = text.find('"', at + 1)) {
    if (text[at + 25] == '"') ids.erase(std::string(text.substr(at + 1, 24)));
  }
}

// The complete and incomplete blobs of before that no document and no partition names.
Result<std::vector<int64_t>> unnamed_blobs(Connection& connection, Instant before) {
  std::unordered_set<std::string> ids;
  std::vector<std::pair<int64_t, std::string>> old;
  std::vector<int64_t> unnamed;
  {
    MAEIL_ASSIGN(Query query, connection.query("SELECT key, id, uploaded FROM blobs WHERE uploaded < ?"));
    query.bind(1, before.time_since_epoch().count());
    for (;;) {
      MAEIL_ASSIGN(const bool row, query.step());
      if (!row) break;
      if (query.integer(2) == 0) {  // condemned, by a process that did not come to its end
        unnamed.push_back(query.integer(0));
        continue;
      }
      old.emplace_back(query.integer(0), query.text(1));
      ids.insert(query.text(1));
    }
  }
  for (const char* sql : {"SELECT body FROM documents", "SELECT constants FROM partitions"}) {
    if (ids.empty()) break;
    MAEIL_ASSIGN(Query query, connection.query(sql));
    for (;;) {
      MAEIL_ASSIGN(const bool row, query.step());
      if (!row) break;
      remove_named(query.bytes(0), ids);
    }
  }
  for (const auto& [key, id] : old) {
    if (ids.contains(id)) unnamed.push_back(key);
  }
  return unnamed;
}

}  // namespace

Result<std::unique_ptr<BlobWriter>> begin_blob(std::shared_ptr<Database> database, std::string_view filename,
                                               const Document& metadata, std::string_view wanted,
                                               Instant uploaded) {
  const Instant begun = now();  // counts until it is complete: an old date would make it garbage meanwhile
  const std::string id = wanted.empty() ? new_object_id(begun) : std::string(wanted);
  if (!is_id(id)) return bad_input(fmt::format("\"{}\" is no id for a blob", id));
  MAEIL_ASSIGN(const std::string text,
               encode_document("blobs", metadata.is_null() ? Document::object() : metadata));
  int64_t key = 0;
  MAEIL_TRY(database->write([&](Connection& connection) -> Status {
    if (!wanted.empty()) {
      if (find_blob(connection, id))
        return fail(ErrorCode::kConflict, fmt::format("there is a blob {} already", id));
      MAEIL_ASSIGN(const int64_t left, key_of(connection, id));  // what a copy that was stopped has left
      if (left != 0) MAEIL_TRY(drop_blob_by_key(connection, left));
    }
    MAEIL_ASSIGN(Query insert,
                 connection.query("INSERT INTO blobs(id, filename, metadata, uploaded) VALUES(?, ?, ?, ?)"));
    MAEIL_TRY(
        insert.bind(1, id).bind(2, filename).bind(3, text).bind(4, begun.time_since_epoch().count()).run());
    key = connection.last_row_id();
    return {};
  }));
  return std::make_unique<SqliteBlobWriter>(std::move(database), key, id, uploaded);
}

Status visit_blob(Connection& connection, std::string_view id,
                  const std::function<Status(std::string_view)>& sink) {
  const auto damaged = [&](std::string what) {
    return bad_input(fmt::format("store {}: blob {} is damaged ({}): restore a copy of the database",
                                 connection.path(), id, what));
  };
  int64_t key = 0, length = 0;
  std::string sha256;
  {
    MAEIL_ASSIGN(
        Query find,
        connection.query("SELECT key, length, sha256 FROM blobs WHERE id = ? AND length IS NOT NULL"));
    find.bind(1, id);
    MAEIL_ASSIGN(const bool found, find.step());
    if (!found) return not_found(fmt::format("there is no blob {}", id));
    key = find.integer(0);
    length = find.integer(1);
    sha256 = find.text(2);
  }
  Sha256 hash;
  int64_t read = 0, n = 0;
  MAEIL_ASSIGN(Query pieces, connection.query("SELECT n, bytes FROM blob_pieces WHERE blob = ? ORDER BY n"));
  pieces.bind(1, key);
  for (;;) {
    MAEIL_ASSIGN(const bool row, pieces.step());
    if (!row) break;
    const auto bytes = pieces.bytes(1);
    if (pieces.integer(0) != n) return damaged(fmt::format("piece {} is missing", n));
    ++n;
    read += static_cast<int64_t>(bytes.size());
    if (read > length) return damaged(fmt::format("more than {} bytes", length));
    hash.update(bytes);
    MAEIL_TRY(sink(bytes));
  }
  if (read != length) return damaged(fmt::format("{} of {} bytes", read, length));
  if (hash.hex() != sha256) return damaged("its SHA-256 differs");
  return {};
}

Result<BlobInfo> find_blob(Connection& connection, std::string_view id) {
  MAEIL_ASSIGN(Query find, connection.query("SELECT filename, length, metadata, uploaded, sha256 FROM blobs "
                                            "WHERE id = ? AND length IS NOT NULL"));
  find.bind(1, id);
  MAEIL_ASSIGN(const bool found, find.step());
  if (!found) return not_found(fmt::format("there is no blob {}", id));
  BlobInfo info;
  info.id = id;
  info.filename = find.text(0);
  info.length = find.integer(1);
  info.metadata = parse_document(find.bytes(2));
  info.uploaded = Instant{std::chrono::milliseconds{find.integer(3)}};
  info.sha256 = find.text(4);
  if (!info.metadata.is_object())
    return bad_input(fmt::format("store {}: the metadata of blob {} is damaged", connection.path(), id));
  return info;
}

Result<std::vector<BlobInfo>> all_blobs(Connection& connection) {
  std::vector<std::string> ids;
  {
    MAEIL_ASSIGN(Query query, connection.query("SELECT id FROM blobs WHERE length IS NOT NULL ORDER BY key"));
    for (;;) {
      MAEIL_ASSIGN(const bool row, query.step());
      if (!row) break;
      ids.push_back(query.text(0));
    }
  }
  std::vector<BlobInfo> found;
  for (const auto& id : ids) {
    MAEIL_ASSIGN(BlobInfo info, find_blob(connection, id));
    found.push_back(std::move(info));
  }
  return found;
}

Status drop_blob(Database& database, std::string_view id) {
  int64_t key = 0;
  MAEIL_TRY(database.write([&](Connection& connection) -> Status {
    MAEIL_ASSIGN(key, key_of(connection, id));
    if (key == 0) return not_found(fmt::format("there is no blob {}", id));
    MAEIL_ASSIGN(Query condemn,
                 connection.query("UPDATE blobs SET length = NULL, uploaded = 0 WHERE key = ?"));
    return condemn.bind(1, key).run();
  }));
  return drop_pieces(database, kDropBlobPieces, kDropBlob, key);
}

Result<int64_t> drop_garbage(Database& database, Instant before) {
  std::vector<int64_t> blobs;
  std::vector<int64_t> generations;
  MAEIL_TRY(database.read([&](Connection& connection) -> Status {
    MAEIL_ASSIGN(blobs, unnamed_blobs(connection, before));
    MAEIL_ASSIGN(generations, unpublished_generations(connection, before));
    return {};
  }));
  int64_t removed = 0;
  const auto drop = [&](const char* condemn_sql, const char* pieces_sql, const char* head_sql,
                        int64_t key) -> Status {
    bool condemned = false;
    MAEIL_TRY(database.write([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(Query condemn, connection.query(condemn_sql));
      MAEIL_TRY(condemn.bind(1, key).bind(2, before.time_since_epoch().count()).run());
      condemned = connection.changes() == 1;  // else it was written to or published meanwhile
      return {};
    }));
    removed += condemned;
    return condemned ? drop_pieces(database, pieces_sql, head_sql, key) : Status{};
  };
  for (const int64_t key : blobs) {
    MAEIL_TRY(drop("UPDATE blobs SET length = NULL, uploaded = 0 WHERE key = ? AND uploaded < ?",
                   kDropBlobPieces, kDropBlob, key));
  }
  for (const int64_t key : generations) {
    MAEIL_TRY(
        drop(R"(UPDATE generations SET created = 0 WHERE key = ? AND created < ? AND key NOT IN (SELECT )"
             R"(generation FROM partitions))",
             kDropRowPieces, kDropGeneration, key));
  }
  return removed;
}

Status drop_condemned_rows(Database& database) {
  std::vector<int64_t> generations;
  MAEIL_TRY(database.read([&](Connection& connection) -> Status {
    MAEIL_ASSIGN(generations, unpublished_generations(connection, Instant{std::chrono::milliseconds{1}}));
    return {};
  }));
  for (const int64_t key : generations)
    MAEIL_TRY(drop_pieces(database, kDropRowPieces, kDropGeneration, key));
  return {};
}

Status check_blobs(Connection& connection) {
  MAEIL_ASSIGN(const auto blobs, all_blobs(connection));
  for (const auto& blob : blobs)
    MAEIL_TRY(visit_blob(connection, blob.id, [](std::string_view) -> Status { return {}; }));
  return {};
}

}  // namespace maeil::store::sqlite
