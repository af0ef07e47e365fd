// The Store over a server: each call borrows a connection and uses the functions of commit, reading, blobs,
// lease and garbage.
#include "store/mongo/mongo_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/mongo/blobs.h"
#include "store/mongo/commit.h"
#include "store/mongo/control.h"
#include "store/mongo/foreign.h"
#include "store/mongo/garbage.h"
#include "store/mongo/lease.h"
#include "store/mongo/migrate.h"
#include "store/mongo/reading.h"
#include "store/mongo/row_writer.h"
#include "store/mongo/server_site.h"

namespace maeil::store {
namespace {

using namespace mongo;

class MongoStore : public Store {
 public:
  // `ours`: the collections of maeil are there.
  MongoStore(std::shared_ptr<Server> server, bool ours) : server_(std::move(server)), ours_(ours) {}

  Result<Instant> time() override {
    Connection connection(*server_);
    return server_now(connection);
  }

  Status commit(const Batch& batch) override { return commit_request(*server_, {batch}); }

  Status find_each(std::string_view collection, const FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    MAEIL_ASSIGN(const Filter filter, Filter::parse(options.filter));
    return select(options, visit, [&](const Take& take, bool& in_order) -> Status {
      Connection connection(*server_);
      if (server_->transactions() || !ours_)
        return visit_documents(connection, collection, options, filter, take, in_order);
      return visit_whole_batches(connection, collection, options, filter, take, in_order);
    });
  }

  Result<std::vector<std::string>> collections() override {
    Connection connection(*server_);
    MAEIL_TRY(before_reading(connection));
    MAEIL_ASSIGN(const auto all, connection.collections());
    MAEIL_ASSIGN(const auto published, partitions(connection, Document::object()));
    std::vector<std::string> names;
    for (const auto& name : all) {
      if (!is_public_collection(name)) continue;
      bool any =
          std::ranges::any_of(published, [&](const auto& partition) { return partition.collection == name; });
      if (!any) {
        MAEIL_TRY(visit_raw(connection, name, [&](const bson_t&) -> Result<bool> {
          any = true;
          return false;
        }));
      }
      if (any) names.push_back(name);
    }
    return names;
  }

  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view collection, std::string_view partition,
                                                const Document& constants) override {
    if (!is_public_collection(collection))
      return bad_input(fmt::format("\"{}\" may not be a collection's name here", collection));
    return begin_rows(server_, collection, partition, constants);
  }

  Status read_rows(std::string_view collection, std::string_view partition,
                   const std::vector<std::string>& columns,
                   const std::function<Status(const RowChunk&)>& visit, RowSpan span) override {
    Connection connection(*server_);
    MAEIL_TRY(before_reading(connection));
    return visit_row_chunks(connection, collection, partition, columns, visit, span);
  }

  Status erase_rows(std::string_view collection, std::string_view partition) override {
    const Batch nothing;
    return commit_request(*server_, {nothing, {{std::string(collection), std::string(partition)}}});
  }

  Result<std::vector<std::string>> row_partitions(std::string_view collection) override {
    Connection connection(*server_);
    MAEIL_TRY(before_reading(connection));
    MAEIL_ASSIGN(const auto found, partitions(connection, {{"collection", collection}}));
    std::vector<std::string> names;
    for (const auto& partition : found) names.push_back(partition.name);
    return names;
  }

  Result<Document> row_constants(std::string_view collection, std::string_view partition) override {
    Connection connection(*server_);
    MAEIL_TRY(before_reading(connection));
    MAEIL_ASSIGN(const auto found, find_partition(connection, collection, partition));
    if (!found) return not_found(fmt::format("there are no rows of {} {}", collection, partition));
    return found->constants;
  }

  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view filename, const Document& metadata,
                                                 std::string_view id, Instant uploaded) override {
    return begin_blob(server_, filename, metadata, id, uploaded);
  }

  Status read_blob(std::string_view id, const std::function<Status(std::string_view)>& sink) override {
    Connection connection(*server_);
    return visit_blob(connection, id, sink);
  }

  Result<BlobInfo> blob_info(std::string_view id) override {
    Connection connection(*server_);
    return find_blob(connection, id);
  }

  Result<std::vector<BlobInfo>> blobs() override {
    Connection connection(*server_);
    return all_blobs(connection, false);
  }

  Status erase_blob(std::string_view id) override {
    Connection connection(*server_);
    MAEIL_TRY(check_own_leases(connection));
    return drop_blob(connection, id);
  }

  Result<int64_t> collect_garbage(Instant before) override {
    Connection connection(*server_);
    MAEIL_TRY(check_own_leases(connection));
    return drop_garbage(connection, before);
  }

  Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) override {
    if (!ours_) return std::make_unique<Lock>();  // nothing was made here, and nobody can hold anything
    return take_lease(server_, name, holder);
  }
  Result<std::optional<LockHolder>> lock_holder(std::string_view name) override {
    return holder_of_lease(*server_, std::string(name));
  }

  Result<std::unique_ptr<Lock>> wait_for_lock(std::string_view name, std::string_view holder,
                                              const std::function<bool(std::string_view)>& waiting) override {
    return wait_for_lease(server_, name, holder, waiting);
  }

  Result<std::vector<std::string>> foreign() override {
    Connection connection(*server_);
    return list_foreign(connection);
  }

  Status check() override {
    Connection connection(*server_);
    return check_everything(connection);
  }

  uint64_t nulled() const override { return server_->nulled; }
  std::string description() const override { return server_->label(); }

 private:
  // Documents are held back, up to kHeld of them, until it is known that no batch began to count while they
  // were read: else it may have been seen half, and they are read again. Longer answers flow.
  Status visit_whole_batches(Connection& connection, std::string_view collection, const FindOptions& options,
                             const Filter& filter, const Take& take, bool& in_order) {
    constexpr size_t kHeld = 1000;
    constexpr int kTimes = 5;
    ServerSite site(connection);
    for (int times = 0;; ++times) {
      std::vector<Document> held;
      bool flows = false, wanted = true;
      const auto hand_out = [&] {
        for (auto& document : held) wanted = wanted && take(std::move(document));
        held.clear();
        return wanted;
      };
      in_order = false;
      MAEIL_TRY(settle_to_read(connection));
      MAEIL_ASSIGN(const Head before, site.head());
      MAEIL_TRY(visit_documents(
          connection, collection, options, filter,
          [&](Document&& document) {
            if (flows) return take(std::move(document));
            held.push_back(std::move(document));
            const bool enough = options.sort.empty() && options.limit > 0 &&
                                static_cast<int64_t>(held.size()) == options.skip + options.limit;
            if (held.size() < kHeld) return !enough;
            flows = true;
            return hand_out();
          },
          in_order));
      if (flows) return {};
      MAEIL_ASSIGN(const Head after, site.head());
      if (after.number != before.number && times < kTimes) continue;
      hand_out();
      return {};
    }
  }

  // Without transactions a batch is carried out step by step: a reader waits until it is whole.
  Status before_reading(Connection& connection) {
    return server_->transactions() || !ours_ ? Status{} : settle_to_read(connection);
  }

  Status check_own_leases(Connection& connection) {
    if (server_->leases().empty()) return {};
    MAEIL_ASSIGN(const Document control, read_control(connection));
    return check_leases(*server_, control);
  }

  std::shared_ptr<Server> server_;
  bool ours_;
};

Status prepare(Connection& connection) {
  for (const char* own : kOwnCollections) MAEIL_TRY(connection.ensure_own_collection(own));
  MAEIL_TRY(connection.ensure_index(kPartitions, {{"collection", 1}}));
  MAEIL_TRY(connection.ensure_index(kGenerations, {{"collection", 1}, {"partition", 1}}));
  MAEIL_TRY(connection.ensure_index(kJournal, {{"batch", 1}, {"n", 1}}));
  MAEIL_TRY(prepare_control(connection));
  return migrate(connection);
}

}  // namespace

Result<std::unique_ptr<Store>> open_mongo(const std::string& uri, const std::string& database,
                                          const MongoOptions& options) {
  MAEIL_ASSIGN(auto server, Server::open(uri, database, options));
  bool ours = true;
  {
    Connection connection(*server);
    if (options.read_only || !options.create) {
      MAEIL_ASSIGN(const bool any, holds_anything(connection));
      if (!any)
        return not_found(fmt::format("{} holds nothing: is the database's name right?", server->label()));
    }
    if (options.read_only) {
      MAEIL_ASSIGN(const auto names, connection.collections());
      ours = std::ranges::find(names, kControl) != names.end();
    }
    if (ours) MAEIL_TRY(options.read_only ? require_schema(connection) : prepare(connection));
    // what a writer that died has left half done
    if (ours && !server->transactions()) MAEIL_TRY(settle_to_read(connection));
  }
  return std::make_unique<MongoStore>(std::move(server), ours);
}

}  // namespace maeil::store
