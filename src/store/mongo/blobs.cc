#include "store/mongo/blobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "store/field_rules.h"
#include "store/mongo/control.h"

namespace maeil::store::mongo {
namespace {

// GridFS's own default; others may have other sizes, and are read all the same
constexpr size_t kPieceBytes = 255 << 10;
constexpr size_t kBulkPieces = 16;  // 4 MB a command

// One piece as BSON, laid out beforehand so that the bytes are copied once:
//   length | 07 "_id" oid | 07 "files_id" oid | 10 "n" int32 | 05 "data" length subtype bytes | 00
class Piece {
 public:
  Piece(const bson_oid_t& blob, int32_t n) {
    bytes_.reserve(kHead + kPieceBytes + 1);
    bytes_.resize(4);
    bson_oid_t own;
    bson_oid_init(&own, nullptr);
    member('\x07', "_id");
    bytes_.append(reinterpret_cast<const char*>(own.bytes), sizeof own.bytes);
    member('\x07', "files_id");
    bytes_.append(reinterpret_cast<const char*>(blob.bytes), sizeof blob.bytes);
    member('\x10', "n");
    bytes_.append(reinterpret_cast<const char*>(&n), sizeof n);
    member('\x05', "data");
    bytes_.append(5, '\0');
  }
  // Takes from the front of `bytes` what fits.
  void fill(std::string_view& bytes) {
    const size_t count = std::min(bytes.size(), kPieceBytes - size());
    bytes_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
  }
  size_t size() const { return bytes_.size() - kHead; }
  bool full() const { return size() == kPieceBytes; }
  // Ends the document; the view, which may not be copied, lives as long as the piece.
  void close(BsonView& view) {
    const auto data = static_cast<uint32_t>(size());
    bytes_ += '\0';
    const auto length = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    std::memcpy(bytes_.data() + kHead - 5, &data, sizeof data);
    (void)bson_init_static(&view.value, reinterpret_cast<const uint8_t*>(bytes_.data()), bytes_.size());
  }

 private:
  static constexpr size_t kHead = 4 + (5 + 12) + (10 + 12) + (3 + 4) + (6 + 5);
  void member(char type, const char* name) {
    bytes_ += type;
    bytes_.append(name, std::strlen(name) + 1);
  }
  std::string bytes_;
};

class MongoBlobWriter : public BlobWriter {
 public:
  MongoBlobWriter(std::shared_ptr<Server> server, std::string id, std::string_view filename, Bson metadata,
                  Instant uploaded)
      : server_(std::move(server)),
        id_(std::move(id)),
        oid_(oid_of(id_)),
        filename_(filename),
        metadata_(std::move(metadata)),
        uploaded_(uploaded) {}

  Status write(std::string_view bytes) override {
    if (finished_) return internal_error(fmt::format("blob {}: write after finish", id_));
    hash_.update(bytes);
    length_ += static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
      if (pieces_.empty() || pieces_.back().full()) {
        if (pieces_.size() == kBulkPieces) MAEIL_TRY(flush());
        pieces_.emplace_back(oid_, next_++);
      }
      pieces_.back().fill(bytes);
    }
    return {};
  }

  Result<std::string> finish() override {
    if (finished_) return internal_error(fmt::format("blob {}: finish twice", id_));
    if (!pieces_.empty()) MAEIL_TRY(flush());
    Connection connection(*server_);
    MAEIL_TRY(check_pieces(connection));
    Instant uploaded = uploaded_;
    if (uploaded == Instant{}) {
      MAEIL_ASSIGN(uploaded, server_now(connection));
    }
    const std::string sha256 = hash_.hex();
    Bson file;
    BSON_APPEND_OID(file.get(), "_id", &oid_);
    BSON_APPEND_INT64(file.get(), "length", length_);
    BSON_APPEND_INT32(file.get(), "chunkSize", static_cast<int32_t>(kPieceBytes));
    BSON_APPEND_DATE_TIME(file.get(), "uploadDate", uploaded.time_since_epoch().count());
    BSON_APPEND_UTF8(file.get(), "filename", filename_.c_str());
    BSON_APPEND_DOCUMENT(file.get(), "metadata", metadata_.get());
    BSON_APPEND_UTF8(file.get(), "sha256", sha256.c_str());
    MAEIL_TRY(connection.insert_one(kFiles, file));
    MAEIL_TRY(connection.remove(kUploads, {{"_id", id_value(id_)}}));
    finished_ = true;
    return id_;
  }

 private:
  Status flush() {
    Connection connection(*server_);
    MAEIL_TRY(renew(connection));
    std::vector<BsonView> documents(pieces_.size());
    int64_t bytes = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      bytes += static_cast<int64_t>(pieces_[i].size());
      pieces_[i].close(documents[i]);
    }
    MAEIL_TRY(connection.insert(kChunks, documents));
    stored_ += bytes;
    pieces_.clear();
    return {};
  }

  // Shows that it is under way: garbage is what has not been written to for long.
  Status renew(Connection& connection) {
    MAEIL_ASSIGN(const Instant at, server_now(connection));
    const Document alive = {{"_id", id_value(id_)}, {"dropped", nullptr}};
    const Document change = {{"$set", {{"begun", date_value(at)}}}};
    MAEIL_ASSIGN(const Document entry, connection.find_and_modify(kUploads, alive, change));
    return entry.is_null() ? removed() : Status{};
  }

  // Its pieces are counted on the server (their numbers are unique); the bytes are those that it said it
  // took.
  Status check_pieces(Connection& connection) {
    if (stored_ != length_) return removed();
    const Document count = {{"count", kChunks}, {"query", {{"files_id", id_value(id_)}}}};
    MAEIL_ASSIGN(const Document answer, connection.command("count the pieces of a blob", count));
    const Document& pieces = member(answer, "n");
    if (!pieces.is_number()) return io_error(fmt::format("{}: the server does not count", server_->label()));
    return pieces.get<double>() < next_ ? removed() : Status{};
  }

  tl::unexpected<Error> removed() const {
    return io_error(fmt::format("{}: blob {}: pieces of this upload were removed meanwhile: write it again",
                                server_->label(), id_));
  }

  std::shared_ptr<Server> server_;
  const std::string id_;
  const bson_oid_t oid_;
  const std::string filename_;
  const Bson metadata_;
  const Instant uploaded_;
  std::vector<Piece> pieces_;
  int32_t next_ = 0;
  int64_t length_ = 0;
  int64_t stored_ = 0;  // bytes of the pieces that are on the server
  Sha256 hash_;
  bool finished_ = false;
};

Result<BlobInfo> info_from(const Server& server, const bson_t& file) {
  MAEIL_ASSIGN(const Document document, from_bson(file, server.codec()));
  BlobInfo info;
  info.id = id_text(member(document, "_id"));
  const Document& length = member(document, "length");  // other programs' drivers may write a double
  if (!length.is_number() || !(length.get<double>() >= 0 && length.get<double>() < 1e15))
    return bad_input(fmt::format("{}: the entry of blob {} in fs.files is damaged: restore a backup",
                                 server.label(), info.id));
  info.length = length.get<int64_t>();
  info.filename = text_field(document, "filename");
  info.metadata = member(document, "metadata");
  if (!info.metadata.is_object()) info.metadata = Document::object();
  info.uploaded = instant_member(document, "uploadDate").value_or(Instant{});
  info.sha256 = text_field(document, "sha256");
  return info;
}

}  // namespace

Result<std::unique_ptr<BlobWriter>> begin_blob(std::shared_ptr<Server> server, std::string_view filename,
                                               const Document& metadata, std::string_view id,
                                               Instant uploaded) {
  const std::string own = id.empty() ? new_object_id(now()) : std::string(id);
  if (!is_id(own)) return bad_input(fmt::format("\"{}\" is no id for a blob", own));
  Document fields = metadata.is_null() ? Document::object() : metadata;
  if (const Status valid = check_document(fields); !valid)
    return with_context("a blob's metadata", valid.error());
  MAEIL_ASSIGN(Bson bson, to_bson(fields, server->codec()));
  if (bson.bytes().size() > (1 << 20) || filename.size() > 4096 ||
      filename.find('\0') != std::string_view::npos ||
      !bson_utf8_validate(filename.data(), filename.size(), false)) {
    return bad_input("a blob's metadata or name is too large, or its name is no text");
  }
  Connection connection(*server);
  if (!id.empty() && find_blob(connection, id))
    return fail(ErrorCode::kConflict, fmt::format("there is a blob {} already", id));
  for (const char* collection : {kFiles, kChunks}) {
    if (server->knows(collection)) continue;
    MAEIL_TRY(collection == kFiles ? connection.ensure_index(kFiles, {{"filename", 1}, {"uploadDate", 1}})
                                   : connection.ensure_index(kChunks, {{"files_id", 1}, {"n", 1}}, "unique"));
    server->learn(collection);
  }
  // What an earlier upload under this id left (a copy that was stopped) would be in the way.
  if (!id.empty()) {
    MAEIL_TRY(connection.remove(kChunks, {{"files_id", id_value(own)}}));
    MAEIL_TRY(connection.remove(kUploads, {{"_id", id_value(own)}}));
  }
  MAEIL_ASSIGN(const Instant begun, server_now(connection));
  MAEIL_ASSIGN(const Bson entry, to_bson({{"_id", id_value(own)}, {"begun", date_value(begun)}}));
  MAEIL_TRY(connection.insert_one(kUploads, entry));
  return std::make_unique<MongoBlobWriter>(std::move(server), own, filename, std::move(bson), uploaded);
}

Status visit_blob(Connection& connection, std::string_view id,
                  const std::function<Status(std::string_view)>& sink) {
  MAEIL_ASSIGN(const BlobInfo info, find_blob(connection, id));
  const auto damaged = [&](const std::string& what) {
    return bad_input(
        fmt::format("{}: blob {} is damaged ({}): restore a backup", connection.server().label(), id, what));
  };
  Sha256 hash;
  int64_t read = 0, n = 0;
  // A connection that breaks in the middle costs nothing: what was read is not asked for again.
  MAEIL_ASSIGN(const Bson filter, to_bson({{"files_id", id_value(id)}}));
  MAEIL_TRY(connection.find(kChunks, *filter.get(), {{"sort", {{"n", 1}}}},
                            [&](const bson_t& piece) -> Result<bool> {
                              bson_iter_t at;
                              uint32_t length = 0;
                              const uint8_t* data = nullptr;
                              if (!bson_iter_init_find(&at, &piece, "n") || bson_iter_as_int64(&at) != n)
                                return damaged(fmt::format("piece {} is missing", n));
                              ++n;
                              if (!bson_iter_init_find(&at, &piece, "data") || !BSON_ITER_HOLDS_BINARY(&at))
                                return damaged("a piece without bytes");
                              bson_iter_binary(&at, nullptr, &length, &data);
                              read += length;
                              if (read > info.length)
                                return damaged(fmt::format("more than {} bytes", info.length));
                              const std::string_view bytes(reinterpret_cast<const char*>(data), length);
                              if (!info.sha256.empty()) hash.update(bytes);
                              for (size_t from = 0; from < bytes.size(); from += 1 << 20)
                                MAEIL_TRY(sink(bytes.substr(from, 1 << 20)));
                              return true;
                            }));
  if (read != info.length) return damaged(fmt::format("{} of {} bytes", read, info.length));
  if (!info.sha256.empty() && hash.hex() != info.sha256) return damaged("its SHA-256 differs");
  return {};
}

Result<BlobInfo> find_blob(Connection& connection, std::string_view id) {
  std::vector<BlobInfo> found;
  if (is_id(id)) {
    MAEIL_ASSIGN(const Bson filter, to_bson({{"_id", id_value(id)}}));
    MAEIL_TRY(connection.find(kFiles, *filter.get(), {{"limit", 1}}, [&](const bson_t& file) -> Result<bool> {
      MAEIL_ASSIGN(BlobInfo info, info_from(connection.server(), file));
      found.push_back(std::move(info));
      return true;
    }));
  }
  if (found.empty()) return not_found(fmt::format("there is no blob {}", id));
  return std::move(found[0]);
}

Result<std::vector<BlobInfo>> all_blobs(Connection& connection, bool ours_only) {
  Bson everything;
  std::vector<BlobInfo> found;
  MAEIL_TRY(
      connection.find(kFiles, *everything.get(), Document::object(), [&](const bson_t& file) -> Result<bool> {
        MAEIL_ASSIGN(BlobInfo info, info_from(connection.server(), file));
        if (!info.id.empty() && (!ours_only || !info.sha256.empty())) found.push_back(std::move(info));
        return true;
      }));
  return found;
}

Status drop_blob(Connection& connection, std::string_view id) {
  if (!is_id(id)) return not_found(fmt::format("there is no blob {}", id));
  MAEIL_TRY(find_blob(connection, id));
  // Its entry first: a crash in between leaves bytes that the next collection of garbage takes, never half a
  // blob.
  MAEIL_ASSIGN(const Bson entry, to_bson({{"_id", id_value(id)}, {"begun", date_value(Instant{})}}));
  MAEIL_TRY(connection.insert_one(kUploads, entry));
  MAEIL_TRY(connection.remove(kFiles, {{"_id", id_value(id)}}));
  MAEIL_TRY(connection.remove(kChunks, {{"files_id", id_value(id)}}));
  MAEIL_TRY(connection.remove(kUploads, {{"_id", id_value(id)}}));
  return {};
}

Result<int64_t> drop_unfinished_blobs(Connection& connection, Instant before) {
  MAEIL_ASSIGN(const auto begun, connection.find(kUploads, {{"begun", {{"$lt", date_value(before)}}}}));
  int64_t removed = 0;
  for (const auto& entry : begun) {
    const std::string id = id_text(member(entry, "_id"));
    if (id.empty()) continue;
    // The entry decides: a writer that was quicker keeps its pieces, a later one hears that they are gone.
    const Document old = {{"_id", id_value(id)}, {"begun", {{"$lt", date_value(before)}}}};
    MAEIL_ASSIGN(const Document taken,
                 connection.find_and_modify(kUploads, old, {{"$set", {{"dropped", true}}}}));
    if (taken.is_null()) continue;
    const auto finished = find_blob(connection, id);
    if (!finished && finished.error().code != ErrorCode::kNotFound)
      return tl::make_unexpected(finished.error());
    if (!finished) {
      MAEIL_TRY(connection.remove(kChunks, {{"files_id", id_value(id)}}));
      ++removed;
    }
    MAEIL_TRY(connection.remove(kUploads, {{"_id", id_value(id)}}));
  }
  return removed;
}

}  // namespace maeil::store::mongo
