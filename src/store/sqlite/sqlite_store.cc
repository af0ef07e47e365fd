// The Store over one SQLite file: each call is one transaction or one snapshot over the functions of
// documents, rows and blobs.
#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <atomic>

#include "store/selection.h"
#include "store/set_fields.h"
#include "store/sqlite/blobs.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/documents.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/rows.h"

namespace maeil::store {
namespace {

using namespace sqlite;

Status apply(Connection& connection, const Batch& batch) {
  for (const auto& expected : batch.expects) {
    MAEIL_ASSIGN(const Document found, get_document(connection, expected.collection, expected.id));
    MAEIL_TRY(check_expected(found, expected));
  }
  for (const auto& put : batch.puts) MAEIL_TRY(put_document(connection, put.collection, put.document));
  for (const auto& set : batch.sets) MAEIL_TRY(set_fields(connection, set.collection, set.id, set.fields));
  for (const auto& publish : batch.publishes) MAEIL_TRY(publish_rows(connection, publish));
  for (const auto& erase : batch.erases) MAEIL_TRY(erase_document(connection, erase.collection, erase.id));
  return {};
}

Result<std::vector<std::string>> texts(Query& query) {
  std::vector<std::string> found;
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) return found;
    found.push_back(query.text(0));
  }
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<Instant> time() override { return now(); }

  Status commit(const Batch& batch) override {
    MAEIL_TRY(database_->write([&](Connection& connection) { return apply(connection, batch); }));
    // What was replaced, outside of the batch: it may be much. Where it fails it is garbage, which is
    // collected later.
    if (!batch.publishes.empty()) (void)drop_condemned_rows(*database_);
    for (const auto& put : batch.puts) nulled_ += count_not_finite(put.document);
    for (const auto& set : batch.sets) nulled_ += count_not_finite(set.fields);
    return {};
  }

  Status find_each(std::string_view collection, const FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    MAEIL_ASSIGN(const Filter filter, Filter::parse(options.filter));
    return select(options, visit, [&](const Take& take, bool& in_order) {
      return database_->read([&](Connection& connection) -> Status {
        bool stopped = false;
        MAEIL_TRY(visit_documents(connection, collection, options, filter, take, in_order, stopped));
        if (stopped || !options.rows) return {};
        return visit_row_documents(connection, collection, filter, fields_needed(options, filter), take,
                                   stopped);
      });
    });
  }

  Result<std::vector<std::string>> collections() override {
    std::vector<std::string> names;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(
          Query query,
          connection.query(
              "SELECT collection FROM documents UNION SELECT collection FROM partitions ORDER BY 1"));
      MAEIL_ASSIGN(names, texts(query));
      return {};
    }));
    return names;
  }

  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view collection, std::string_view partition,
                                                const Document& constants) override {
    return begin_rows(database_, collection, partition, constants);
  }

  Status read_rows(std::string_view collection, std::string_view partition,
                   const std::vector<std::string>& columns,
                   const std::function<Status(const RowChunk&)>& visit, RowSpan span) override {
    return database_->read([&](Connection& connection) {
      return visit_row_chunks(connection, collection, partition, columns, visit, span);
    });
  }

  Status erase_rows(std::string_view collection, std::string_view partition) override {
    MAEIL_TRY(database_->write(
        [&](Connection& connection) { return erase_partition(connection, collection, partition); }));
    (void)drop_condemned_rows(*database_);
    return {};
  }

  Result<std::vector<std::string>> row_partitions(std::string_view collection) override {
    std::vector<std::string> names;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(Query query,
                   connection.query("SELECT partition FROM partitions WHERE collection = ? ORDER BY seq"));
      query.bind(1, collection);
      MAEIL_ASSIGN(names, texts(query));
      return {};
    }));
    return names;
  }

  Result<Document> row_constants(std::string_view collection, std::string_view partition) override {
    Document constants;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(constants, constants_of(connection, collection, partition));
      return {};
    }));
    return constants;
  }

  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view filename, const Document& metadata,
                                                 std::string_view id, Instant uploaded) override {
    return begin_blob(database_, filename, metadata, id, uploaded);
  }

  Status read_blob(std::string_view id, const std::function<Status(std::string_view)>& sink) override {
    return database_->read([&](Connection& connection) { return visit_blob(connection, id, sink); });
  }

  Result<BlobInfo> blob_info(std::string_view id) override {
    BlobInfo info;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(info, find_blob(connection, id));
      return {};
    }));
    return info;
  }

  Result<std::vector<BlobInfo>> blobs() override {
    std::vector<BlobInfo> found;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(found, all_blobs(connection));
      return {};
    }));
    return found;
  }

  Status erase_blob(std::string_view id) override { return drop_blob(*database_, id); }

  Result<int64_t> collect_garbage(Instant before) override {
    MAEIL_ASSIGN(const int64_t removed, drop_garbage(*database_, before));
    MAEIL_TRY(database_->write_in_steps([&](Connection& connection) -> Result<bool> {
      MAEIL_ASSIGN(const int64_t free, connection.number("PRAGMA freelist_count"));
      MAEIL_TRY(connection.run("PRAGMA incremental_vacuum(1024)"));  // 4 MB
      MAEIL_ASSIGN(const int64_t left, connection.number("PRAGMA freelist_count"));
      return left > 0 && left < free;
    }));
    return removed;
  }

  Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) override {
    return lock_file(database_->path(), name, holder);
  }
  Result<std::optional<LockHolder>> lock_holder(std::string_view name) override {
    return holder_of_lock(database_->path(), name);
  }

  Status check() override {
    return database_->read([&](Connection& connection) -> Status {
      {
        MAEIL_ASSIGN(Query query, connection.query("PRAGMA integrity_check(1)"));
        MAEIL_ASSIGN(const bool row, query.step());
        if (!row || query.bytes(0) != "ok") {
          return bad_input(fmt::format("store {}: the database is damaged ({}): restore a copy",
                                       connection.path(), row ? query.bytes(0) : ""));
        }
      }
      MAEIL_TRY(check_documents(connection));
      MAEIL_TRY(check_blobs(connection));
      return check_rows(connection);
    });
  }

  uint64_t nulled() const override { return nulled_; }
  std::string description() const override { return fmt::format("SQLite {}", database_->path().string()); }

 private:
  std::shared_ptr<Database> database_;
  std::atomic<uint64_t> nulled_{0};
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& path, const SqliteOptions& options) {
  MAEIL_ASSIGN(auto database, Database::open(path, options));
  return std::make_unique<SqliteStore>(std::move(database));
}

}  // namespace maeil::store
