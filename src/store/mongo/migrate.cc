#include "store/mongo/migrate.h"

#include <fmt/format.h>

#include "store/field_rules.h"
#include "store/mongo/control.h"
#include "store/mongo/generation.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kRowsOfAnInsert = 1000;

bool is_new(const std::string& generation) { return generation.starts_with(kRowPrefix); }

Result<int64_t> schema_of(Connection& connection, const Document& control) {
  const Document& schema = member(control, "schema");
  const int64_t number = schema.is_number_integer() ? schema.get<int64_t>() : 0;
  if (number == 1 || number == kSchema) return number;
  return bad_input(fmt::format(
      "{}: written by a newer maeil (schema {}, this one knows {}): use that version or a newer one",
      connection.server().label(), schema.dump(-1, ' ', false, Document::error_handler_t::replace), kSchema));
}

// From here on an older maeil can write nothing, and every process of this one goes on with what follows.
Status begin(Connection& connection, const Document& control) {
  const Document& intent = member(control, "intent");
  if (text_field(intent, "state") == "committed") {
    return bad_input(
        fmt::format("{}: an older maeil left a batch half written, and only that version can finish it: run "
                    "any command of it "
                    "once (maeil doctor), then this one again",
                    connection.server().label()));
  }
  Document change = {{"$set", {{"schema", kSchema}, {"intent", kOlderStay}, {"migrating", true}}}};
  for (const auto& [name, lock] : member(control, "locks").items()) {
    if (member(lock, "token").is_number_integer()) change["$inc"]["locks." + name + ".token"] = 1;
  }
  // When it changed meanwhile another process has begun, or an older one has written: the next look says
  // which.
  MAEIL_TRY(
      connection.find_and_modify(kControl, {{"_id", "control"}, {"schema", 1}, {"intent", intent}}, change));
  return {};
}

// The same rows under ids of the new kind.
Status copy_rows(Connection& connection, const std::string& collection, const std::string& from,
                 const std::string& to) {
  std::vector<Bson> rows;
  const auto send = [&]() -> Status {
    std::vector<BsonView> views(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      (void)bson_init_static(&views[i].value, bson_get_data(rows[i].get()), rows[i].get()->len);
    }
    Connection writing(connection.server());
    MAEIL_TRY(writing.insert(collection, views));
    rows.clear();
    return {};
  };
  MAEIL_ASSIGN(const Bson range, to_bson(row_range(from)));
  MAEIL_TRY(connection.find(
      collection, *range.get(), {{"sort", {{"_id", 1}}}}, [&](const bson_t& row) -> Result<bool> {
        bson_iter_t at;
        if (!bson_iter_init_find(&at, &row, "_id") || !BSON_ITER_HOLDS_OID(&at))
          return bad_input("a row has no id");
        const auto number =
            static_cast<uint32_t>(std::stoul(hex_of(*bson_iter_oid(&at)).substr(16), nullptr, 16));
        const bson_oid_t id = oid_of(row_oid(to, number));
        Bson& copy = rows.emplace_back();
        BSON_APPEND_OID(copy.get(), "_id", &id);
        for (bson_iter_init(&at, &row); bson_iter_next(&at);) {
          if (std::string_view(bson_iter_key(&at)) != "_id") bson_append_iter(copy.get(), nullptr, 0, &at);
        }
        if (rows.size() == kRowsOfAnInsert) MAEIL_TRY(send());
        return true;
      }));
  return rows.empty() ? Status{} : send();
}

// Only while it still shows the old generation: whoever was quicker removes the old rows while others copy
// them.
Status move_partition(Connection& connection, Partition partition, int64_t nulled) {
  const std::string old = partition.generation;
  MAEIL_ASSIGN(partition.generation, begin_generation(connection, partition.collection, partition.name));
  MAEIL_TRY(copy_rows(connection, partition.collection, old, partition.generation));
  MAEIL_TRY(finish_generation(connection, partition, nulled));
  const Document shown = {{"_id", id_value(partition_id(partition.collection, partition.name))},
                          {"generation", id_value(old)}};
  MAEIL_ASSIGN(const Document moved,
               connection.find_and_modify(kPartitions, shown,
                                          {{"$set", {{"generation", id_value(partition.generation)}}}}));
  return drop_generation(connection, {partition.collection, moved.is_null() ? partition.generation : old});
}

Status move_rows(Connection& connection) {
  MAEIL_ASSIGN(const auto stored, connection.find(kPartitions, Document::object()));
  MAEIL_ASSIGN(const auto all, partitions(connection, Document::object()));
  for (size_t i = 0; i < all.size() && i < stored.size(); ++i) {
    const Document& nulled = member(stored[i], "nulled");
    const int64_t number = nulled.is_number_integer() ? nulled.get<int64_t>() : 0;
    if (!is_new(all[i].generation)) MAEIL_TRY(move_partition(connection, all[i], number));
  }
  // What no partition showed, or was already replaced, would look like documents from now on.
  MAEIL_ASSIGN(const auto generations, connection.find(kGenerations, Document::object()));
  for (const auto& entry : generations) {
    const std::string id = id_text(member(entry, "_id"));
    if (id.empty() || is_new(id)) continue;
    MAEIL_TRY(drop_generation(connection, {text_field(entry, "collection"), id}));
    MAEIL_TRY(connection.remove(kGenerations, {{"_id", id_value(id)}}));
  }
  MAEIL_TRY(connection.remove(kJournal, {{"intent", {{"$exists", true}}}}));
  return {};
}

}  // namespace

Status migrate(Connection& connection) {
  for (;;) {
    MAEIL_ASSIGN(const Document control, read_control(connection));
    MAEIL_ASSIGN(const int64_t schema, schema_of(connection, control));
    if (schema == kSchema && !control.contains("migrating")) return {};
    if (schema == 1) {
      connection.server().warn(fmt::format(
          "{}: written by an older maeil: it is brought to schema {}, which older ones cannot read",
          connection.server().label(), kSchema));
      MAEIL_TRY(begin(connection, control));
      continue;
    }
    MAEIL_TRY(move_rows(connection));
    MAEIL_TRY(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$unset", {{"migrating", ""}}}}));
  }
}

Status require_schema(Connection& connection) {
  MAEIL_ASSIGN(const Document control, read_control(connection));
  MAEIL_ASSIGN(const int64_t schema, schema_of(connection, control));
  if (schema == kSchema && !control.contains("migrating")) return {};
  return bad_input(
      fmt::format("{}: written by an older maeil: a command that writes brings it to schema {} (maeil "
                  "prune), reading does not",
                  connection.server().label(), kSchema));
}

}  // namespace maeil::store::mongo
