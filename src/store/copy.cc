#include "store/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace maeil::store {
namespace {

constexpr size_t kBatchDocuments = 500;
constexpr size_t kBatchBytes = 4 << 20;

// The sum of 128 bits of every document's SHA-256: the same for every order, and no document can be taken for another.
class Digest {
 public:
  void add(const Document& document) {
    const std::string hex = sha256_hex(document.dump(-1, ' ', false, Document::error_handler_t::replace));
    high_ += part(hex, 0);
    low_ += part(hex, 16);
  }
  std::string hex() const { return fmt::format("{:016x}{:016x}", high_, low_); }

 private:
  static uint64_t part(const std::string& hex, size_t at) {
    uint64_t value = 0;
    std::from_chars(hex.data() + at, hex.data() + at + 16, value, 16);
    return value;
  }
  uint64_t high_ = 0, low_ = 0;
};

Status copy_blob(Store& from, Store& to, const BlobInfo& blob) {
  if (const auto there = to.blob_info(blob.id)) {
    Sha256 source;
    MAEIL_TRY(from.read_blob(blob.id, [&](std::string_view bytes) -> Status { return source.update(bytes), Status{}; }));
    if (there->sha256 == source.hex()) return {};
    return fail(ErrorCode::kConflict, fmt::format("{} holds another blob {}: name an empty store", to.description(), blob.id));
  }
  Sha256 sent, arrived;
  MAEIL_ASSIGN(const auto writer, to.write_blob(blob.filename, blob.metadata, blob.id));
  MAEIL_TRY(from.read_blob(blob.id, [&](std::string_view bytes) -> Status {
    sent.update(bytes);
    return writer->write(bytes);
  }));
  MAEIL_TRY(writer->finish());
  MAEIL_TRY(to.read_blob(blob.id, [&](std::string_view bytes) -> Status { return arrived.update(bytes), Status{}; }));
  if (sent.hex() != arrived.hex()) return bad_input(fmt::format("blob {} ({}) did not arrive as it was sent", blob.id, blob.filename));
  return {};
}

Status copy_documents(Store& from, Store& to, const std::string& collection, const CopyProgress& progress) {
  Batch batch;
  size_t bytes = 0;
  uint64_t done = 0;
  Status failed;
  const auto send = [&]() -> Status {
    if (batch.puts.empty()) return {};
    MAEIL_TRY(to.commit(batch));
    progress(collection, done += batch.puts.size(), 0);
    batch = {};
    bytes = 0;
    return {};
  };
  FindOptions plain;
  plain.rows = false;
  MAEIL_TRY(from.find_each(collection, plain, [&](Document&& document) {
    const auto id = document.find("_id");
    if (id == document.end() || id_text(*id).empty()) {
      failed = bad_input(fmt::format("{}: a document of {} has the _id {}, which is no ObjectId: give it one, or remove it", from.description(), collection,
                                     id == document.end() ? "(none)" : id->dump(-1, ' ', false, Document::error_handler_t::replace)));
      return false;
    }
    bytes += document.dump(-1, ' ', false, Document::error_handler_t::replace).size();
    batch.puts.push_back({collection, std::move(document)});
    if (batch.puts.size() >= kBatchDocuments || bytes >= kBatchBytes) failed = send();
    return failed.has_value();
  }));
  MAEIL_TRY(failed);
  return send();
}

Status copy_rows(Store& from, Store& to, const std::string& collection, const CopyProgress& progress) {
  MAEIL_ASSIGN(const auto partitions, from.row_partitions(collection));
  for (size_t i = 0; i < partitions.size(); ++i) {
    MAEIL_ASSIGN(const auto writer, to.write_rows(collection, partitions[i]));
    MAEIL_TRY(from.read_rows(collection, partitions[i], {}, [&](const RowChunk& chunk) { return writer->append(chunk); }));
    MAEIL_ASSIGN(Document constants, from.row_constants(collection, partitions[i]));
    Batch batch;
    MAEIL_ASSIGN(const std::string generation, writer->finish());
    batch.publishes.push_back({collection, partitions[i], generation, std::move(constants)});
    MAEIL_TRY(to.commit(batch));
    progress(fmt::format("rows of {}", collection), i + 1, partitions.size());
  }
  return {};
}

Result<CopiedCollection> survey_collection(Store& store, const std::string& name, const CopyProgress& progress) {
  CopiedCollection out;
  out.name = name;
  Digest digest;
  int64_t all = 0;
  FindOptions plain;
  plain.rows = false;
  MAEIL_TRY(store.find_each(name, plain, [&](Document&&) { return ++out.documents, true; }));
  MAEIL_TRY(store.find_each(name, {}, [&](Document&& document) {
    digest.add(document);
    if (++all % 500 == 0) progress(fmt::format("reading {}", name), static_cast<uint64_t>(all), 0);
    return true;
  }));
  out.rows = all - out.documents;
  out.digest = digest.hex();
  return out;
}

}  // namespace

Result<CopyReport> survey(Store& store, const CopyProgress& progress) {
  CopyReport report;
  MAEIL_ASSIGN(const auto names, store.collections());
  for (const auto& name : names) {
    MAEIL_ASSIGN(CopiedCollection collection, survey_collection(store, name, progress));
    report.collections.push_back(std::move(collection));
  }
  MAEIL_ASSIGN(const auto blobs, store.blobs());
  report.blobs = static_cast<int64_t>(blobs.size());
  for (const auto& blob : blobs) report.blob_bytes += blob.length;
  return report;
}

Result<CopyReport> copy_store(Store& from, Store& to, const CopyProgress& progress) {
  MAEIL_ASSIGN(const auto blobs, from.blobs());
  uint64_t total = 0, copied = 0;
  for (const auto& blob : blobs) total += static_cast<uint64_t>(blob.length);
  for (const auto& blob : blobs) {  // first, so that no document names bytes that are not there yet
    MAEIL_TRY(copy_blob(from, to, blob));
    copied += static_cast<uint64_t>(blob.length);
    progress("blobs, MiB", copied >> 20, total >> 20);
  }
  MAEIL_ASSIGN(const auto names, from.collections());
  for (const auto& name : names) {
    MAEIL_TRY(copy_documents(from, to, name, progress));
    MAEIL_TRY(copy_rows(from, to, name, progress));
  }
  MAEIL_ASSIGN(CopyReport sent, survey(from, progress));
  for (const auto& collection : sent.collections) {
    MAEIL_ASSIGN(const auto arrived, survey_collection(to, collection.name, progress));
    if (arrived.digest == collection.digest) continue;
    return bad_input(fmt::format("{} has {} documents and {} rows in {}, {} has {} and {} or others: it held something else before, name an empty store",
                                 from.description(), collection.documents, collection.rows, collection.name, to.description(), arrived.documents, arrived.rows));
  }
  return sent;
}

}  // namespace maeil::store
