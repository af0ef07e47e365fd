// The document store's interface: what the loop, the registry and the runner need, whoever keeps it.
//
// Documents are read by find and changed only by commit(Batch), which is atomic: after a crash either all of
// a batch is there or nothing. Large bytes (blobs) and prepared rows are written beforehand, in pieces, and
// stay invisible until a batch names them; what no batch ever named is removed by collect_garbage. A Store is
// thread safe. Several processes may use one store at a time. Errors: kIo for the disk, kBadInput for a
// damaged database, kUnavailable for a server that does not answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "store/document.h"

namespace maeil::store {

struct FindOptions {
  // As in mongosh: {"a.b": 1}, {"n": {"$gt": 3}}, and $eq $ne $gt $gte $lt $lte $in $nin $exists, $and $or
  // $not. An unknown operator is kUsage.
  Document filter = Document::object();
  // Dotted field, 1 or -1; ties by `_id` in the direction of the last field, so that an index gives this
  // order on every store. Without a sort: in order of insertion (a server that answers the filter from an
  // index may give the index's order).
  std::vector<std::pair<std::string, int>> sort;
  int64_t skip = 0;
  int64_t limit = 0;                    // 0: all
  std::vector<std::string> projection;  // top-level fields to keep, `_id` always; empty: all
  bool rows = true;                     // false: without the rows of publishes
};

// Prepared rows, by column. All columns of a chunk have the same length; NaN is null.
struct RowColumn {
  std::string name;
  std::variant<std::vector<int64_t>, std::vector<double>, std::vector<std::string>> values;
};
using RowChunk = std::vector<RowColumn>;

// Rows of a partition by their place in the order of writing, the first is 0. What lies behind the last row
// is empty, and no error.
struct RowSpan {
  uint64_t first = 0;
  uint64_t count = UINT64_MAX;
};

// Writes rows under a generation of their own. Not thread safe. Dropped without finish(), it leaves garbage
// only.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual Status append(const RowChunk& chunk) = 0;  // every chunk has the first one's columns
  virtual Result<std::string> finish() = 0;          // the generation, for Batch::publish
};

// Writes one blob. Not thread safe.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Status write(std::string_view bytes) = 0;
  virtual Result<std::string> finish() = 0;  // its id (24 hex digits)
};

// One atomic step. Order inside: expects, puts, sets, publishes, erases.
struct Batch {
  // the whole batch is kConflict unless the document has these values in these top-level fields. As in a
  // filter
  struct Expect {
    // null stands for a field that is not there, too. `fields` itself null: there must be no such document
    std::string collection;
    std::string id;
    Document fields;
  };
  struct Put {  // insert, or replace the document with that _id. `document["_id"]` must be an id
    std::string collection;
    Document document;
  };
  struct Set {  // $set of (dotted) fields of one document; kNotFound when it is absent
    std::string collection;
    std::string id;
    Document fields;
  };
  struct Publish {  // makes a generation the rows of (collection, partition); the previous one disappears
    std::string collection;
    std::string partition;  // e.g. "2026-11-23/<feature_spec_hash>"
    std::string generation;
  };
  struct Erase {
    std::string collection;
    std::string id;
  };
  // REQUIRES: the batch also writes each of these documents, so that of two such batches one sees the other
  std::vector<Expect> expects;
  std::vector<Put> puts;
  std::vector<Set> sets;
  std::vector<Publish> publishes;
  std::vector<Erase> erases;
};

// Held until destroyed or until the process dies, however it dies (embedded store: the system's file lock;
// server: a lease, so a process that died on another machine keeps it for a while). After a holder lost its
// lease every commit of its Store is kConflict.
class Lock {
 public:
  virtual ~Lock() = default;
};

// A living holder, as it called itself when it took the lock; what is not known is empty.
struct LockHolder {
  std::string holder, host, pid;
};

struct BlobInfo {
  std::string id;
  std::string filename;
  int64_t length = 0;
  Document metadata;
  Instant uploaded;
  // "" when the store does not know it (a file that another program put into a MongoDB bucket)
  std::string sha256;
};

class Store {
 public:
  virtual ~Store() = default;

  // The clock by which processes on several machines agree: the server's, the machine's of an embedded store.
  // Whatever is decided by comparing two processes' times is decided by this one.
  virtual Result<Instant> time() = 0;

  virtual Status commit(const Batch& batch) = 0;

  // Calls `visit` for each match in order; it returns false to stop. Rows of publishes are found as documents
  // too (one per row: the constants, the columns, and a stable `_id`). Bounded memory when `sort` is empty.
  virtual Status find_each(std::string_view collection, const FindOptions& options,
                           const std::function<bool(Document&&)>& visit) = 0;

  // Names that hold something, sorted.
  virtual Result<std::vector<std::string>> collections() = 0;

  // `constants`: fields that every row carries (timestamp, run_id, ...); a column of the same name wins.
  virtual Result<std::unique_ptr<RowWriter>> write_rows(std::string_view collection,
                                                        std::string_view partition,
                                                        const Document& constants = Document::object()) = 0;
  // The rows of a partition, chunk by chunk in the order of writing; only the named columns when some are
  // named, and only those of `span`: others are not read, so damage there is not seen. kNotFound when the
  // partition was never published. Two calls may read two generations: whoever reads by parts has to see that
  // they belong together.
  virtual Status read_rows(std::string_view collection, std::string_view partition,
                           const std::vector<std::string>& columns,
                           const std::function<Status(const RowChunk&)>& visit, RowSpan span = {}) = 0;
  virtual Status erase_rows(std::string_view collection, std::string_view partition) = 0;
  virtual Result<std::vector<std::string>> row_partitions(std::string_view collection) = 0;
  // The constants of a published partition; kNotFound as read_rows.
  virtual Result<Document> row_constants(std::string_view collection, std::string_view partition) = 0;

  // For copies: `id`, the blob's id (empty: a new one; kConflict when there is such a blob), and `uploaded`,
  // its date (the epoch: now).
  virtual Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view filename, const Document& metadata,
                                                         std::string_view id = {}, Instant uploaded = {}) = 0;
  // kNotFound when there is none. kBadInput when its pieces do not add up.
  virtual Status read_blob(std::string_view id, const std::function<Status(std::string_view)>& sink) = 0;
  virtual Result<BlobInfo> blob_info(std::string_view id) = 0;
  virtual Result<std::vector<BlobInfo>> blobs() = 0;  // the finished ones, in order of writing
  virtual Status erase_blob(std::string_view id) = 0;

  // Removes blobs that no document names and generations that were never published, when older than `before`.
  virtual Result<int64_t> collect_garbage(Instant before) = 0;

  // kConflict at once when somebody holds it: the message says who (`holder` of the other) and since when.
  virtual Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) = 0;

  // As lock, but where a dead holder keeps the lock for a while (a server's lease), waits for its end.
  // `waiting` is called several times a second, the first time with a sentence for people, then with "";
  // false gives up (kCancelled). kConflict as soon as the holder is seen to live.
  virtual Result<std::unique_ptr<Lock>> wait_for_lock(std::string_view name, std::string_view holder,
                                                      const std::function<bool(std::string_view)>& waiting);

  // Who holds the lock now; nullopt: nobody who lives. Only asks: takes no lock and writes nothing. On a
  // server a dead holder of another machine counts until its lease ends.
  virtual Result<std::optional<LockHolder>> lock_holder(std::string_view name) = 0;

  // What other programs put here that this interface does not show, or not as it is: a phrase each, for
  // people. Reads every document.
  virtual Result<std::vector<std::string>> foreign() { return std::vector<std::string>(); }

  // Reads everything's checksums and structure; the error says what is damaged. For `maeil doctor`.
  virtual Status check() = 0;

  // What something of everybody's (a DAG, say) is called in what this object shows: where that is one dataset
  // of several, "<dataset>__name" (dataset_store.h).
  virtual std::string name_here(std::string_view name) const { return std::string(name); }

  // how many NaN and infinities in documents this object wrote as null
  virtual uint64_t nulled() const = 0;
  virtual std::string description() const = 0;  // "SQLite ./maeil.db"

  // Conveniences over find_each.
  Result<std::vector<Document>> find(std::string_view collection, const FindOptions& options);
  // null when there is none
  Result<Document> find_one(std::string_view collection, const FindOptions& options);
  Result<std::string> read_whole_blob(std::string_view id, uint64_t max_bytes);
};

}  // namespace maeil::store
