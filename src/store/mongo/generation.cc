#include "store/mongo/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "store/mongo/control.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kBulkBytes = kHugePage;  // one insert command: larger ones were not faster, and a slow server answers in time

class MongoRowWriter : public RowWriter {
 public:
  MongoRowWriter(std::shared_ptr<Server> server, std::shared_ptr<Shelf> shelf, std::string_view collection, std::string_view partition)
      : shelf_(std::move(shelf)),
        label_(fmt::format("rows of {} {}", collection, partition)),
        rows_(new Waiting{std::string(collection), std::string(partition), now(), Spool(label_, server->codec())}) {}

  Status append(const RowChunk& chunk) override {
    if (!rows_) return internal_error(fmt::format("{}: append after finish", label_));
    return rows_->spool.append(chunk);
  }
  Result<std::string> finish() override {
    if (!rows_) return internal_error(fmt::format("{}: finish twice", label_));
    if (rows_->spool.rows() > INT64_C(0xffffffff)) return bad_input(fmt::format("{}: more than 4294967295 rows", label_));
    const std::string generation = new_object_id(rows_->created).substr(0, 16) + "00000000";
    shelf_->put(generation, std::move(rows_));
    rows_ = nullptr;
    return generation;
  }

 private:
  std::shared_ptr<Shelf> shelf_;
  const std::string label_;
  std::shared_ptr<Waiting> rows_;
};

// Ready documents of one insert command, in one buffer.
class Bulk {
 public:
  Bulk(Connection& connection, const std::string& collection, const std::string& generation, std::string_view constants)
      : connection_(connection), collection_(collection), prefix_(oid_of(generation)), constants_(constants) {
    buffer_.reserve(kBulkBytes);
  }

  // Sends what there is when this row has no place beside it.
  Status add(uint32_t row, std::string_view members) {
    static constexpr char kIdHead[] = "\x07_id";  // with its zero byte
    const auto length = static_cast<uint32_t>(4 + sizeof kIdHead + 12 + constants_.size() + members.size() + 1);
    if (buffer_.size() + length > kBulkBytes) MAEIL_TRY(send());
    starts_.push_back(buffer_.size());
    put({reinterpret_cast<const char*>(&length), sizeof length});
    put({kIdHead, sizeof kIdHead});
    const unsigned char number[4] = {static_cast<unsigned char>(row >> 24), static_cast<unsigned char>(row >> 16), static_cast<unsigned char>(row >> 8),
                                     static_cast<unsigned char>(row)};
    put({reinterpret_cast<const char*>(prefix_.bytes), 8});
    put({reinterpret_cast<const char*>(number), 4});
    put(constants_);
    put(members);
    buffer_.push_back('\0');
    return {};
  }

  Status send() {
    std::vector<BsonView> documents(starts_.size());
    for (size_t i = 0; i < starts_.size(); ++i) {
      const size_t end = i + 1 < starts_.size() ? starts_[i + 1] : buffer_.size();
      if (!bson_init_static(&documents[i].value, reinterpret_cast<const uint8_t*>(buffer_.data()) + starts_[i], end - starts_[i])) {
        return internal_error("a row was not encoded as BSON");
      }
    }
    MAEIL_TRY(connection_.insert(collection_, documents));
    buffer_.clear();
    starts_.clear();
    return {};
  }

 private:
  void put(std::string_view bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

  Connection& connection_;
  const std::string& collection_;
  const bson_oid_t prefix_;
  const std::string_view constants_;
  HugeBytes buffer_;
  std::vector<size_t> starts_;
};

}  // namespace

std::string partition_id(std::string_view collection, std::string_view partition) {
  return sha256_hex(fmt::format("{}\n{}", collection, partition)).substr(0, 24);
}

Document Partition::document() const {
  Document names = Document::array();
  for (const auto& [column, kind] : columns) names.push_back({{"name", column}, {"kind", std::string(1, kind)}});
  Document out = {{"collection", collection}, {"partition", name}, {"generation", id_value(generation)}, {"rows", rows}, {"columns", names}};
  const std::string task_key = text_member(constants, "task_key");
  if (!task_key.empty()) out["task_key"] = task_key;
  out["constants"] = constants;
  return out;
}

Result<Partition> partition_from(const Server& server, const Document& document) {
  Partition out;
  out.collection = text_member(document, "collection");
  out.name = text_member(document, "partition");
  out.generation = id_text(member(document, "generation"));
  const auto damaged = [&] { return bad_input(fmt::format("{}: the rows of {} {} are damaged (no description): run their task again", server.label(), out.collection, out.name)); };
  const Document &rows = member(document, "rows"), &columns = member(document, "columns");
  if (out.generation.empty() || !rows.is_number_integer() || rows.get<int64_t>() < 0 || !columns.is_array()) return damaged();
  out.rows = rows.get<int64_t>();
  for (const auto& column : columns) {
    const std::string kind = text_member(column, "kind");
    if (kind != "i" && kind != "d" && kind != "s") return damaged();
    out.columns.emplace_back(text_member(column, "name"), kind[0]);
  }
  out.constants = member(document, "constants");
  return out.constants.is_object() ? Result<Partition>(std::move(out)) : damaged();
}

Result<std::vector<Partition>> partitions(Connection& connection, const Document& filter) {
  MAEIL_ASSIGN(const Bson bson, to_bson(filter));
  std::vector<Partition> found;
  MAEIL_TRY(connection.find(kPartitions, *bson.get(), Document::object(), [&](const bson_t& one) -> Result<bool> {
    MAEIL_ASSIGN(const Document document, from_bson(one, connection.server().codec()));
    MAEIL_ASSIGN(Partition partition, partition_from(connection.server(), document));
    found.push_back(std::move(partition));
    return true;
  }));
  return found;
}

Result<std::optional<Partition>> find_partition(Connection& connection, std::string_view collection, std::string_view partition) {
  MAEIL_ASSIGN(auto found, partitions(connection, {{"_id", id_value(partition_id(collection, partition))}}));
  return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
}

std::string row_oid(const std::string& generation, uint32_t row) { return fmt::format("{}{:08x}", generation.substr(0, 16), row); }

Document row_range(const std::string& generation) {
  return {{"_id", {{"$gte", id_value(row_oid(generation, 0))}, {"$lte", id_value(row_oid(generation, 0xffffffff))}}}};
}

Result<Generations> Generations::of(Connection& connection, std::string_view collection) {
  MAEIL_ASSIGN(const auto found, connection.find(kGenerations, {{"collection", collection}}, {{"projection", {{"_id", 1}}}}));
  Generations out;
  for (const auto& document : found) {
    const std::string id = id_text(member(document, "_id"));
    if (!id.empty()) out.prefixes_.push_back(id.substr(0, 16));
  }
  return out;
}

bool Generations::owns(const bson_oid_t& id) const {
  return !prefixes_.empty() && std::ranges::find(prefixes_, hex_of(id).substr(0, 16)) != prefixes_.end();
}

Document Generations::excluding() const {
  if (prefixes_.empty()) return Document::object();
  Document ranges = Document::array();
  for (const auto& prefix : prefixes_) ranges.push_back(row_range(prefix + "00000000"));
  return {{"$nor", ranges}};
}

void Shelf::put(const std::string& generation, std::shared_ptr<Waiting> rows) {
  std::lock_guard lock(mutex_);
  waiting_[generation] = std::move(rows);
}

std::shared_ptr<Waiting> Shelf::find(const std::string& generation) const {
  std::lock_guard lock(mutex_);
  const auto found = waiting_.find(generation);
  return found == waiting_.end() ? nullptr : found->second;
}

void Shelf::remove(const std::string& generation) {
  std::lock_guard lock(mutex_);
  waiting_.erase(generation);
}

int64_t Shelf::remove_older(Instant before) {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(std::erase_if(waiting_, [&](const auto& one) { return one.second->created < before; }));
}

Result<std::vector<std::string>> abandoned_generations(Connection& connection, const Partition& partition) {
  MAEIL_ASSIGN(const auto entries, connection.find(kGenerations, {{"collection", partition.collection}, {"partition", partition.name}}));
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const auto lost_a_lock = [&](const Document& leases) {
    return leases.is_array() && std::ranges::any_of(leases, [&](const Document& lease) {
      return member(lease, "token") != member(member(member(control, "locks"), text_member(lease, "name")), "token");
    });
  };
  std::vector<std::string> out;
  for (const auto& entry : entries) {
    const std::string generation = id_text(member(entry, "_id"));
    if (generation.empty() || generation == partition.generation || entry.contains("dropped")) continue;
    if (Identity::is_dead(member(entry, "owner")) || lost_a_lock(member(entry, "leases"))) out.push_back(generation);
  }
  return out;
}

Status insert_rows(Connection& connection, const std::string& generation, Waiting& rows, std::string_view constants) {
  std::lock_guard lock(rows.mutex);
  Document leases = Document::array();
  for (const auto& lease : connection.server().leases()) leases.push_back({{"name", lease.name}, {"token", lease.token}});
  MAEIL_ASSIGN(const Bson head, to_bson({{"_id", id_value(generation)}, {"collection", rows.collection}, {"partition", rows.partition},
                                         {"created", date_value(rows.created)}, {"owner", Identity::own().document()}, {"leases", leases}}));
  MAEIL_TRY(connection.insert_one(kGenerations, head));
  Bulk bulk(connection, rows.collection, generation, constants);
  uint32_t row = 0;
  MAEIL_TRY(rows.spool.for_each([&](std::string_view members) { return bulk.add(row++, members); }));
  return bulk.send();
}

std::unique_ptr<RowWriter> begin_rows(std::shared_ptr<Server> server, std::shared_ptr<Shelf> shelf, std::string_view collection, std::string_view partition) {
  return std::make_unique<MongoRowWriter>(std::move(server), std::move(shelf), collection, partition);
}

}  // namespace maeil::store::mongo
