#include "store/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "base/hash.h"
#include "store/row_shape.h"

namespace maeil::store {
namespace {

constexpr size_t kBatchDocuments = 500;
constexpr size_t kBatchBytes = 4 << 20;

std::string text_of(const Document& value) {
  return value.dump(-1, ' ', false, Document::error_handler_t::replace);
}

// 128 bits of a SHA-256: no document can be taken for another. Sums are the same for every order.
struct Digest {
  uint64_t high = 0, low = 0;
  static Digest of(std::string_view text) {
    const std::string hex = sha256_hex(text);
    return {part(hex, 0), part(hex, 16)};
  }
  Digest& operator+=(const Digest& other) {
    high += other.high;
    low += other.low;
    return *this;
  }
  bool operator==(const Digest&) const = default;
  std::string hex() const { return fmt::format("{:016x}{:016x}", high, low); }

 private:
  static uint64_t part(const std::string& hex, size_t at) {
    uint64_t value = 0;
    std::from_chars(hex.data() + at, hex.data() + at + 16, value, 16);
    return value;
  }
};

struct DigestHash {
  size_t operator()(const Digest& digest) const { return digest.low; }
};

// The rows of one partition in order, however they are cut into chunks: one hash a column.
class RowDigest {
 public:
  void add(const RowChunk& chunk) {
    if (columns_.empty()) columns_.resize(chunk.size());
    for (size_t i = 0; i < chunk.size(); ++i) {
      auto& [name, hash] = columns_[i];
      name = fmt::format("{} {}", chunk[i].values.index(), chunk[i].name);
      std::visit([&, &to = hash](const auto& values) { add_values(to, values); }, chunk[i].values);
    }
    if (!chunk.empty()) rows_ += static_cast<int64_t>(row_count(chunk[0].values));
  }
  int64_t rows() const { return rows_; }
  std::string finish(const std::string& partition, const Document& constants) {
    std::string all = fmt::format("{}\n{}\n{}\n", partition, text_of(constants), rows_);
    for (auto& [name, hash] : columns_) all += fmt::format("{} {}\n", name, hash.hex());
    return Digest::of(all).hex();
  }

 private:
  template <class T>
  static void add_bytes(Sha256& hash, const T* values, size_t count) {
    hash.update({reinterpret_cast<const char*>(values), count * sizeof(T)});
  }
  static void add_values(Sha256& hash, const std::vector<int64_t>& values) {
    add_bytes(hash, values.data(), values.size());
  }
  static void add_values(Sha256& hash, const std::vector<double>& values) {
    std::vector<uint64_t> bits(values.size());  // a missing value has many NaNs, and is one
    std::ranges::transform(values, bits.begin(), [](double value) {
      return std::isfinite(value) ? std::bit_cast<uint64_t>(value) : UINT64_MAX;
    });
    add_bytes(hash, bits.data(), bits.size());
  }
  static void add_values(Sha256& hash, const std::vector<std::string>& values) {
    for (const auto& value : values) {
      const uint64_t size = value.size();
      add_bytes(hash, &size, 1);
      hash.update(value);
    }
  }

  std::vector<std::pair<std::string, Sha256>> columns_;
  int64_t rows_ = 0;
};

Result<std::string> partition_digest(Store& store, const std::string& collection,
                                     const std::string& partition, const CopyProgress& progress,
                                     int64_t* rows) {
  RowDigest digest;
  MAEIL_TRY(store.read_rows(collection, partition, {}, [&](const RowChunk& chunk) -> Status {
    digest.add(chunk);
    progress(fmt::format("reading rows of {}", collection), static_cast<uint64_t>(digest.rows()), 0);
    return {};
  }));
  MAEIL_ASSIGN(const Document constants, store.row_constants(collection, partition));
  if (rows) *rows += digest.rows();
  return digest.finish(partition, constants);
}

// A store that does not know a blob's hash has it made from the bytes.
Result<std::string> blob_digest(Store& store, const BlobInfo& blob) {
  std::string sha256 = blob.sha256;
  if (sha256.empty()) {
    Sha256 hash;
    MAEIL_TRY(store.read_blob(
        blob.id, [&](std::string_view bytes) -> Status { return hash.update(bytes), Status{}; }));
    sha256 = hash.hex();
  }
  return Digest::of(fmt::format("{}\n{}\n{}\n{}", blob.filename, blob.length, text_of(blob.metadata), sha256))
      .hex();
}

std::string shown_id(const Document& document) {
  const auto id = document.find("_id");
  if (id == document.end()) return "(none)";
  const std::string hex = id_text(*id);
  return hex.empty() ? text_of(*id) : hex;
}

Status check_copyable(const Store& store, const std::string& collection, const Document& document) {
  const auto wrong = [&](const std::string& why) {
    return bad_input(fmt::format("{}: the document {} of {} cannot be copied: {}", store.description(),
                                 shown_id(document), collection, why));
  };
  const auto id = document.find("_id");
  if (id == document.end() || id_text(*id).empty())
    return wrong("its _id is no ObjectId: give it one, or remove it");
  if (const Status valid = check_document(document); !valid) {
    return wrong(
        fmt::format("{}: it holds a type that maeil's documents do not have (decimal, bytes, ...): change "
                    "it, or remove it",
                    valid.error().message));
  }
  return {};
}

Status each_document(Store& store, const std::string& collection,
                     const std::function<Status(Document&&)>& visit) {
  FindOptions plain;
  plain.rows = false;
  Status visited;
  MAEIL_TRY(store.find_each(collection, plain, [&](Document&& document) {
    visited = visit(std::move(document));
    return visited.has_value();
  }));
  return visited;
}

Result<CollectionContents> survey_collection(Store& store, const std::string& name,
                                             const CopyProgress& progress) {
  CollectionContents out;
  Digest digest;
  MAEIL_TRY(each_document(store, name, [&](Document&& document) -> Status {
    MAEIL_TRY(check_copyable(store, name, document));
    digest += Digest::of(text_of(document));
    if (++out.documents % 500 == 0)
      progress(fmt::format("reading {}", name), static_cast<uint64_t>(out.documents), 0);
    return {};
  }));
  MAEIL_ASSIGN(const auto partitions, store.row_partitions(name));
  for (const auto& partition : partitions) {
    MAEIL_ASSIGN(out.partitions[partition], partition_digest(store, name, partition, progress, &out.rows));
    digest += Digest::of(out.partitions[partition]);
  }
  out.digest = digest.hex();
  return out;
}

// The documents of a collection of the target, each of which must be in the source and equal. The target's
// are held in memory, so that an empty target costs nothing, however large the source is.
Result<int64_t> check_documents(Store& from, Store& to, const std::string& collection,
                                const std::function<tl::unexpected<Error>(std::string)>& refuse) {
  boost::unordered_flat_map<Digest, Digest, DigestHash> held;
  const auto key = [](const Document& document) { return Digest::of(shown_id(document)); };
  MAEIL_TRY(each_document(to, collection, [&](Document&& document) -> Status {
    held.emplace(key(document), Digest::of(text_of(document)));
    return {};
  }));
  const auto count = static_cast<int64_t>(held.size());
  if (held.empty()) return 0;
  MAEIL_TRY(each_document(from, collection, [&](Document&& document) -> Status {
    const auto found = held.find(key(document));
    if (found == held.end()) return {};
    if (found->second != Digest::of(text_of(document)))
      return refuse(fmt::format("the document {} of {} differs", shown_id(document), collection));
    held.erase(found);
    return {};
  }));
  if (held.empty()) return count;
  MAEIL_TRY(each_document(to, collection, [&](Document&& document) -> Status {
    if (held.contains(key(document)))
      return refuse(fmt::format("the document {} of {} is only there", shown_id(document), collection));
    return {};
  }));
  return internal_error(fmt::format("{} changed while it was read", to.description()));
}

Status copy_blob(Store& from, Store& to, const BlobInfo& blob) {
  Sha256 sent, arrived;
  auto writer = to.write_blob(blob.filename, blob.metadata, blob.id, blob.uploaded);
  if (!writer)
    return with_context(fmt::format("{}: blob {} ({})", from.description(), blob.id, blob.filename),
                        writer.error());
  MAEIL_TRY(from.read_blob(blob.id, [&](std::string_view bytes) -> Status {
    sent.update(bytes);
    return (*writer)->write(bytes);
  }));
  MAEIL_TRY((*writer)->finish());
  MAEIL_TRY(to.read_blob(blob.id,
                         [&](std::string_view bytes) -> Status { return arrived.update(bytes), Status{}; }));
  if (sent.hex() != arrived.hex())
    return bad_input(fmt::format("blob {} ({}) did not arrive as it was sent", blob.id, blob.filename));
  return {};
}

Status copy_blobs(Store& from, Store& to, const Present& present, const CopyProgress& progress) {
  MAEIL_ASSIGN(const auto blobs, from.blobs());
  uint64_t total = 0, copied = 0;
  for (const auto& blob : blobs) total += static_cast<uint64_t>(blob.length);
  for (const auto& blob : blobs) {
    if (!present.blobs.contains(blob.id)) MAEIL_TRY(copy_blob(from, to, blob));
    copied += static_cast<uint64_t>(blob.length);
    progress("blobs, MiB", copied >> 20, total >> 20);
  }
  return {};
}

Status copy_documents(Store& from, Store& to, const std::string& collection, const CopyProgress& progress) {
  Batch batch;
  size_t bytes = 0;
  uint64_t done = 0;
  const auto send = [&]() -> Status {
    if (batch.puts.empty()) return {};
    if (const Status sent = to.commit(batch); !sent)
      return with_context(fmt::format("documents of {}", collection), sent.error());
    progress(collection, done += batch.puts.size(), 0);
    batch = {};
    bytes = 0;
    return {};
  };
  MAEIL_TRY(each_document(from, collection, [&](Document&& document) -> Status {
    bytes += text_of(document).size();
    batch.puts.push_back({collection, std::move(document)});
    return batch.puts.size() >= kBatchDocuments || bytes >= kBatchBytes ? send() : Status{};
  }));
  return send();
}

Status copy_partition(Store& from, Store& to, const std::string& collection, const std::string& partition) {
  MAEIL_ASSIGN(const Document constants, from.row_constants(collection, partition));
  MAEIL_ASSIGN(const auto writer, to.write_rows(collection, partition, constants));
  MAEIL_TRY(from.read_rows(collection, partition, {},
                           [&](const RowChunk& chunk) { return writer->append(chunk); }));
  Batch batch;
  MAEIL_ASSIGN(const std::string generation, writer->finish());
  batch.publishes.push_back({collection, partition, generation});
  return to.commit(batch);
}

Status copy_rows(Store& from, Store& to, const std::string& collection, const CopyProgress& progress) {
  // in the order of writing, which a copy keeps
  MAEIL_ASSIGN(const auto partitions, from.row_partitions(collection));
  MAEIL_ASSIGN(const auto there, to.row_partitions(collection));
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (std::ranges::find(there, partitions[i]) == there.end())
      MAEIL_TRY(copy_partition(from, to, collection, partitions[i]));
    progress(fmt::format("rows of {}", collection), i + 1, partitions.size());
  }
  return {};
}

// The first thing of one map that is not, or not the same, in the other; "" when there is none.
template <class Map>
std::string first_difference(const Map& sent, const Map& arrived) {
  for (const auto& [name, value] : sent) {
    const auto found = arrived.find(name);
    if (found == arrived.end()) return fmt::format("{} is missing", name);
    if constexpr (std::is_same_v<typename Map::mapped_type, CollectionContents>) {
      if (found->second.digest == value.digest) continue;
      return fmt::format("{} has {} documents and {} rows, {} and {} arrived, or others", name,
                         value.documents, value.rows, found->second.documents, found->second.rows);
    } else if (found->second != value) {
      return fmt::format("blob {} differs", name);
    }
  }
  for (const auto& [name, value] : arrived) {
    if (!sent.contains(name)) return fmt::format("{} is only there", name);
  }
  return "";
}

}  // namespace

Result<Contents> survey(Store& store, const CopyProgress& progress) {
  Contents out;
  MAEIL_ASSIGN(out.skipped, store.foreign());
  MAEIL_ASSIGN(const auto names, store.collections());
  for (const auto& name : names) {
    MAEIL_ASSIGN(out.collections[name], survey_collection(store, name, progress));
  }
  MAEIL_ASSIGN(const auto blobs, store.blobs());
  for (const auto& blob : blobs) {
    MAEIL_ASSIGN(out.blobs[blob.id], blob_digest(store, blob));
    out.blob_bytes += blob.length;
  }
  return out;
}

Result<Present> check_target(Store& from, const Contents& source, Store& to, const CopyProgress& progress) {
  const auto refuse = [&](const std::string& what) {
    return bad_input(
        fmt::format("{} holds something else than {}: {}. Nothing was written: name an empty store, or one "
                    "that an interrupted copy of the same left",
                    to.description(), from.description(), what));
  };
  Present present;
  MAEIL_ASSIGN(const auto foreign, to.foreign());
  if (!foreign.empty()) return refuse(foreign[0]);
  MAEIL_ASSIGN(const auto blobs, to.blobs());
  for (const auto& blob : blobs) {
    MAEIL_ASSIGN(const std::string digest, blob_digest(to, blob));
    const auto found = source.blobs.find(blob.id);
    if (found == source.blobs.end())
      return refuse(fmt::format("the blob {} ({}) is only there", blob.id, blob.filename));
    if (found->second != digest)
      return refuse(fmt::format("the blob {} ({}) differs", blob.id, blob.filename));
    present.blobs[blob.id] = digest;
  }
  MAEIL_ASSIGN(const auto names, to.collections());
  for (const auto& name : names) {
    const auto collection = source.collections.find(name);
    if (collection == source.collections.end())
      return refuse(fmt::format("the collection {} is only there", name));
    MAEIL_ASSIGN(const int64_t documents, check_documents(from, to, name, refuse));
    if (documents > 0) present.documents[name] = documents;
    MAEIL_ASSIGN(const auto partitions, to.row_partitions(name));
    for (const auto& partition : partitions) {
      MAEIL_ASSIGN(const std::string digest, partition_digest(to, name, partition, progress, nullptr));
      const auto found = collection->second.partitions.find(partition);
      if (found == collection->second.partitions.end())
        return refuse(fmt::format("the rows {} of {} are only there", partition, name));
      if (found->second != digest) return refuse(fmt::format("the rows {} of {} differ", partition, name));
      ++present.partitions;
    }
  }
  return present;
}

Status copy_store(Store& from, const Contents& source, Store& to, const CopyProgress& progress) {
  MAEIL_ASSIGN(Present present, check_target(from, source, to, progress));
  // first, so that no document names bytes that are not there yet
  MAEIL_TRY(copy_blobs(from, to, present, progress));
  for (const auto& [name, contents] : source.collections) {
    if (present.documents[name] != contents.documents) MAEIL_TRY(copy_documents(from, to, name, progress));
    MAEIL_TRY(copy_rows(from, to, name, progress));
  }
  MAEIL_ASSIGN(const Contents arrived, survey(to, progress));
  std::string difference = first_difference(source.collections, arrived.collections);
  if (difference.empty()) difference = first_difference(source.blobs, arrived.blobs);
  if (difference.empty()) return {};
  return bad_input(
      fmt::format("{} does not hold what {} does: {}. Did another program write to one of them meanwhile?",
                  to.description(), from.description(), difference));
}

}  // namespace maeil::store
