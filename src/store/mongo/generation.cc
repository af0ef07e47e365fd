#include "store/mongo/generation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "store/field_rules.h"
#include "store/mongo/control.h"

namespace maeil::store::mongo {
namespace {

constexpr uint32_t kRowsOfARemoval = 10'000;  // in one removal: a slow server answers in time

tl::unexpected<Error> removed_meanwhile() {
  return fail(ErrorCode::kConflict,
              "rows that were being written were removed meanwhile, as those of a process that is gone: "
              "write them again");
}

}  // namespace

std::string partition_id(std::string_view collection, std::string_view partition) {
  return sha256_hex(fmt::format("{}\n{}", collection, partition)).substr(0, 24);
}

Result<Partition> partition_from(const Server& server, const Document& document) {
  Partition out;
  out.collection = text_field(document, "collection");
  out.name = text_field(document, "partition");
  out.generation = id_text(member(document, "generation"));
  const auto damaged = [&] {
    return bad_input(fmt::format("{}: the rows of {} {} are damaged (no description): run their task again",
                                 server.label(), out.collection, out.name));
  };
  const Document &rows = member(document, "rows"), &columns = member(document, "columns");
  if (out.generation.empty() || !rows.is_number_integer() || rows.get<int64_t>() < 0 || !columns.is_array())
    return damaged();
  out.rows = rows.get<int64_t>();
  for (const auto& column : columns) {
    const std::string kind = text_field(column, "kind");
    if (kind != "i" && kind != "d" && kind != "s") return damaged();
    out.columns.emplace_back(text_field(column, "name"), kind[0]);
  }
  out.constants = member(document, "constants");
  return out.constants.is_object() ? Result<Partition>(std::move(out)) : damaged();
}

Result<std::vector<Partition>> partitions(Connection& connection, const Document& filter) {
  MAEIL_ASSIGN(const Bson bson, to_bson(filter));
  std::vector<Partition> found;
  MAEIL_TRY(
      connection.find(kPartitions, *bson.get(), Document::object(), [&](const bson_t& one) -> Result<bool> {
        MAEIL_ASSIGN(const Document document, from_bson(one, connection.server().codec()));
        MAEIL_ASSIGN(Partition partition, partition_from(connection.server(), document));
        found.push_back(std::move(partition));
        return true;
      }));
  return found;
}

Result<std::optional<Partition>> find_partition(Connection& connection, std::string_view collection,
                                                std::string_view partition) {
  MAEIL_ASSIGN(auto found, partitions(connection, {{"_id", id_value(partition_id(collection, partition))}}));
  return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
}

std::string row_oid(const std::string& generation, uint32_t row) {
  return fmt::format("{}{:08x}", generation.substr(0, 16), row);
}

Document row_range(const std::string& generation, uint32_t first, uint32_t last) {
  return {{"_id",
           {{"$gte", id_value(row_oid(generation, first))}, {"$lte", id_value(row_oid(generation, last))}}}};
}

// Not {"$lt": first row}: that would leave out ids of other types as well.
Document without_rows() {
  const std::string first = fmt::format("{}{:016x}", kRowPrefix, 0);
  return {{"_id", {{"$not", {{"$gte", id_value(first)}}}}}};
}

Result<std::string> begin_generation(Connection& connection, std::string_view collection,
                                     std::string_view partition) {
  Document leases = Document::array();
  for (const auto& lease : connection.server().leases())
    leases.push_back({{"name", lease.name}, {"token", lease.token}});
  MAEIL_ASSIGN(const Instant at, server_now(connection));
  const std::string nonce = new_object_id(now());
  for (;;) {
    const std::string id = fmt::format("{}{}00000000", kRowPrefix, new_object_id(now()).substr(16));
    const Document entry = {{"collection", collection},  {"partition", partition},
                            {"created", date_value(at)}, {"owner", Identity::own().document()},
                            {"leases", leases},          {"nonce", nonce}};
    const auto made =
        connection.find_and_modify(kGenerations, {{"_id", id_value(id)}}, {{"$setOnInsert", entry}}, true);
    if (!made && !connection.fault().duplicate) return tl::make_unexpected(made.error());
    if (made && text_field(*made, "nonce") == nonce) return id;
  }
}

Status keep_generation(Connection& connection, const std::string& generation) {
  MAEIL_ASSIGN(const Instant at, server_now(connection));
  const Document alive = {{"_id", id_value(generation)}, {"dropped", {{"$exists", false}}}};
  MAEIL_ASSIGN(const Document kept,
               connection.find_and_modify(kGenerations, alive, {{"$set", {{"created", date_value(at)}}}}));
  return kept.is_null() ? removed_meanwhile() : Status{};
}

Status finish_generation(Connection& connection, const Partition& partition, int64_t nulled) {
  MAEIL_TRY(keep_generation(connection, partition.generation));
  MAEIL_ASSIGN(const auto entries, connection.find(kGenerations, {{"_id", id_value(partition.generation)}}));
  if (entries.empty() || entries[0].contains("dropped")) return removed_meanwhile();
  Document columns = Document::array();
  for (const auto& [column, kind] : partition.columns)
    columns.push_back({{"name", column}, {"kind", std::string(1, kind)}});
  Document entry = entries[0];
  entry.update({{"generation", id_value(partition.generation)},
                {"rows", partition.rows},
                {"nulled", nulled},
                {"columns", columns}});
  entry["constants"] = partition.constants;
  MAEIL_ASSIGN(const Bson document, to_bson(entry, connection.server().codec()));
  MAEIL_ASSIGN(Bson selector,
               to_bson({{"_id", id_value(partition.generation)}, {"dropped", {{"$exists", false}}}}));
  const Write write{Write::Kind::kReplace, kGenerations, partition.generation, &document,
                    std::move(selector)};
  MAEIL_TRY(connection.write({&write, 1}));
  MAEIL_ASSIGN(const auto after, connection.find(kGenerations, {{"_id", id_value(partition.generation)}}));
  return after.empty() || !after[0].contains("rows") ? removed_meanwhile() : Status{};
}

Result<Document> finished_generation(const Server& server, Document entry, const std::string& collection,
                                     const std::string& partition, const std::string& generation) {
  const std::string label = fmt::format("rows of {} {}", collection, partition);
  if (!entry.contains("rows") || entry.contains("dropped"))
    return not_found(fmt::format("{}: there is no generation {}", label, generation));
  MAEIL_ASSIGN(const Partition written, partition_from(server, entry));
  if (written.collection != collection || written.name != partition) {
    return internal_error(fmt::format("{}: generation {} was written for {} {}", label, generation,
                                      written.collection, written.name));
  }
  for (const char* own : {"_id", "created", "owner", "leases", "nonce", "published"}) entry.erase(own);
  return entry;
}

Result<std::vector<std::string>> abandoned_generations(Connection& connection, const std::string& collection,
                                                       const std::string& partition,
                                                       const std::string& published) {
  MAEIL_ASSIGN(const auto entries,
               connection.find(kGenerations, {{"collection", collection}, {"partition", partition}}));
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const auto lost_a_lock = [&](const Document& leases) {
    return leases.is_array() && std::ranges::any_of(leases, [&](const Document& lease) {
             return member(lease, "token") !=
                    member(member(member(control, "locks"), text_field(lease, "name")), "token");
           });
  };
  std::vector<std::string> out;
  for (const auto& entry : entries) {
    const std::string generation = id_text(member(entry, "_id"));
    if (generation.empty() || generation == published) continue;
    // One that was dropped may still have rows: who dropped it may have been stopped in the middle, as by a
    // full disk.
    const bool dropped = entry.contains("dropped");
    if (dropped || Identity::is_dead(member(entry, "owner")) || lost_a_lock(member(entry, "leases")))
      out.push_back(generation);
  }
  return out;
}

Status drop_generation(Connection& connection, const Generation& generation) {
  // First, so that nobody finishes or publishes it from here on.
  MAEIL_TRY(connection.find_and_modify(kGenerations, {{"_id", id_value(generation.id)}},
                                       {{"$set", {{"dropped", date_value(now())}}}}));
  for (;;) {
    // The first row that is there, and those up to some thousands behind it.
    const Document first_only = {{"sort", {{"_id", 1}}}, {"limit", 1}, {"projection", {{"_id", 1}}}};
    MAEIL_ASSIGN(const auto rows,
                 connection.find(generation.collection, row_range(generation.id), first_only));
    if (rows.empty()) return {};
    const std::string first = id_text(member(rows[0], "_id"));
    const auto number = static_cast<uint32_t>(std::stoul(first.substr(16), nullptr, 16));
    const uint32_t last = number > 0xffffffff - kRowsOfARemoval ? 0xffffffff : number + kRowsOfARemoval - 1;
    MAEIL_TRY(connection.remove(generation.collection, row_range(generation.id, number, last)));
  }
}

}  // namespace maeil::store::mongo
