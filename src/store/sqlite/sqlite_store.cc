// The Store over one SQLite file: each call is one transaction or one snapshot over the functions of documents, rows and blobs.
#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/order.h"
#include "store/sqlite/blobs.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/documents.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/rows.h"

namespace maeil::store {
namespace {

using namespace sqlite;

Status apply(Connection& connection, const Batch& batch) {
  if (!batch.erase_task.empty()) {
    MAEIL_TRY(erase_task_documents(connection, batch));
    MAEIL_TRY(erase_task_partitions(connection, batch));
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

// The top-level fields that a find looks at; empty means all of them.
std::vector<std::string> fields_needed(const FindOptions& options, const Filter& filter) {
  std::vector<std::string> fields = options.projection;
  if (fields.empty()) return fields;
  filter.add_fields(fields);
  for (const auto& [path, direction] : options.sort) fields.push_back(split_path(path)[0]);
  return fields;
}

// Keeps the first `count` of what it is given in sorted order (all when 0), in memory for about twice as many.
class Sorted {
 public:
  Sorted(const Sorter& sorter, size_t count) : sorter_(sorter), count_(count) {}

  void add(Document&& document) {
    found_.emplace_back(sorter_.key(document), std::move(document));
    if (count_ > 0 && found_.size() > 2 * count_ + 1000) {
      sort();
      found_.resize(count_);
    }
  }
  std::vector<std::pair<SortKey, Document>>& sort() {
    std::ranges::stable_sort(found_, [&](const auto& a, const auto& b) { return sorter_.less(a.first, b.first); });
    return found_;
  }

 private:
  const Sorter& sorter_;
  size_t count_;
  std::vector<std::pair<SortKey, Document>> found_;
};

class SqliteStore : public Store {
 public:
  explicit SqliteStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Status commit(const Batch& batch) override {
    return database_->write([&](Connection& connection) { return apply(connection, batch); });
  }

  Status find_each(std::string_view collection, const FindOptions& options, const std::function<bool(Document&&)>& visit) override {
    MAEIL_ASSIGN(const Filter filter, Filter::parse(options.filter));
    if (options.skip < 0 || options.limit < 0) return usage_error("skip and limit may not be negative");
    const Sorter sorter(options.sort);
    int64_t number = 0;  // of the match
    const auto hand_out = [&](Document&& document) {
      if (number++ < options.skip) return true;
      project(document, options.projection);
      const bool last = options.limit > 0 && number - options.skip >= options.limit;
      return visit(std::move(document)) && !last;
    };
    const size_t kept = options.limit > 0 ? static_cast<size_t>(std::min<int64_t>(options.limit, INT64_MAX / 4)) + static_cast<size_t>(std::min<int64_t>(options.skip, INT64_MAX / 4)) : 0;
    Sorted sorted(sorter, kept);
    const auto take = [&](Document&& document) {
      if (sorter.empty()) return hand_out(std::move(document));
      sorted.add(std::move(document));
      return true;
    };
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      bool stopped = false;
      MAEIL_TRY(visit_documents(connection, collection, filter, take, stopped));
      if (stopped) return {};
      return visit_row_documents(connection, collection, filter, fields_needed(options, filter), take, stopped);
    }));
    if (sorter.empty()) return {};
    for (auto& [key, document] : sorted.sort()) {
      if (!hand_out(std::move(document))) break;
    }
    return {};
  }

  Result<std::vector<std::string>> collections() override {
    std::vector<std::string> names;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(Query query, connection.query("SELECT collection FROM documents UNION SELECT collection FROM partitions ORDER BY 1"));
      MAEIL_ASSIGN(names, texts(query));
      return {};
    }));
    return names;
  }

  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view collection, std::string_view partition) override {
    return begin_rows(database_, collection, partition);
  }

  Status read_rows(std::string_view collection, std::string_view partition, const std::vector<std::string>& columns,
                   const std::function<Status(const RowChunk&)>& visit) override {
    return database_->read([&](Connection& connection) { return visit_row_chunks(connection, collection, partition, columns, visit); });
  }

  Status erase_rows(std::string_view collection, std::string_view partition) override {
    return database_->write([&](Connection& connection) { return erase_partition(connection, collection, partition); });
  }

  Result<std::vector<std::string>> row_partitions(std::string_view collection) override {
    std::vector<std::string> names;
    MAEIL_TRY(database_->read([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(Query query, connection.query("SELECT partition FROM partitions WHERE collection = ? ORDER BY seq"));
      query.bind(1, collection);
      MAEIL_ASSIGN(names, texts(query));
      return {};
    }));
    return names;
  }

  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view filename, const Document& metadata) override {
    return begin_blob(database_, filename, metadata);
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

  Status erase_blob(std::string_view id) override {
    return database_->write([&](Connection& connection) { return drop_blob(connection, id); });
  }

  Result<int64_t> collect_garbage(Instant before) override {
    int64_t removed = 0;
    MAEIL_TRY(database_->write([&](Connection& connection) -> Status {
      MAEIL_ASSIGN(removed, drop_garbage(connection, before));
      return connection.run("PRAGMA incremental_vacuum");
    }));
    return removed;
  }

  Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) override {
    return lock_file(database_->path(), name, holder);
  }

  Status check() override {
    return database_->read([&](Connection& connection) -> Status {
      {
        MAEIL_ASSIGN(Query query, connection.query("PRAGMA integrity_check(1)"));
        MAEIL_ASSIGN(const bool row, query.step());
        if (!row || query.bytes(0) != "ok") {
          return bad_input(fmt::format("store {}: the database is damaged ({}): restore a copy", connection.path(), row ? query.bytes(0) : ""));
        }
      }
      MAEIL_TRY(check_documents(connection));
      MAEIL_TRY(check_blobs(connection));
      return check_rows(connection);
    });
  }

  std::string description() const override { return fmt::format("SQLite {}", database_->path().string()); }

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& path, const SqliteOptions& options) {
  MAEIL_ASSIGN(auto database, Database::open(path, options));
  return std::make_unique<SqliteStore>(std::move(database));
}

}  // namespace maeil::store
