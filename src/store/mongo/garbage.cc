#include "store/mongo/garbage.h"

#include <fmt/format.h>

#include <boost/unordered/unordered_flat_set.hpp>

#include "store/field_rules.h"
#include "store/mongo/batch_plan.h"
#include "store/mongo/blobs.h"
#include "store/mongo/reading.h"
#include "store/mongo/server_site.h"

namespace maeil::store::mongo {
namespace {

using Ids = boost::unordered_flat_set<std::string>;

// Every id in a document, as ObjectId or as 24 hex digits of text, however deep.
void gather_ids(bson_iter_t* at, Ids& ids, int depth) {
  while (depth > 0 && bson_iter_next(at)) {
    bson_iter_t child;
    if (BSON_ITER_HOLDS_OID(at)) {
      ids.insert(hex_of(*bson_iter_oid(at)));
    } else if (BSON_ITER_HOLDS_UTF8(at)) {
      uint32_t length = 0;
      const char* text = bson_iter_utf8(at, &length);
      if (is_id({text, length})) ids.emplace(text, length);
    } else if ((BSON_ITER_HOLDS_DOCUMENT(at) || BSON_ITER_HOLDS_ARRAY(at)) && bson_iter_recurse(at, &child)) {
      gather_ids(&child, ids, depth - 1);
    }
  }
}

Status gather_from(Connection& connection, const std::string& collection, Ids& ids) {
  return visit_raw(connection, collection, [&](const bson_t& one) -> Result<bool> {
    bson_iter_t at;
    if (bson_iter_init(&at, &one)) gather_ids(&at, ids, 250);
    return true;
  });
}

Result<bool> is_published(Connection& connection, const std::string& generation) {
  MAEIL_ASSIGN(const auto found, connection.find(kPartitions, {{"generation", id_value(generation)}},
                                                 {{"projection", {{"_id", 1}}}}));
  return !found.empty();
}

// Once when a generation is found that was never published; again, with its entry, when it has been gone for
// long enough: a write that was under way when its process died may have come after the first time.
Result<int64_t> drop_generations(Connection& connection, Instant before) {
  MAEIL_ASSIGN(const auto old, connection.find(kGenerations, {{"created", {{"$lt", date_value(before)}}}}));
  std::vector<Generation> condemned;
  int64_t removed = 0;
  for (const auto& entry : old) {
    const Generation generation{text_field(entry, "collection"), id_text(member(entry, "_id"))};
    if (generation.id.empty() || !is_public_collection(generation.collection)) continue;
    const Document id = {{"_id", id_value(generation.id)}};
    if (const auto dropped = instant_member(entry, "dropped")) {
      if (*dropped >= before) continue;
      MAEIL_TRY(drop_generation(connection, generation));
      MAEIL_TRY(connection.remove(kGenerations, id));
      continue;
    }
    MAEIL_ASSIGN(const bool published, is_published(connection, generation.id));
    if (published) continue;
    // Still old, and still nobody's: a writer that lives renews it, and a transaction that publishes it meets
    // this.
    Document still = id;
    still["created"] = member(entry, "created");
    still["published"] = {{"$exists", entry.contains("published")}};
    MAEIL_ASSIGN(
        const Document taken,
        connection.find_and_modify(kGenerations, still, {{"$set", {{"dropped", date_value(now())}}}}));
    if (!taken.is_null()) condemned.push_back(generation);
  }
  if (!condemned.empty() && !connection.server().transactions()) {
    ServerSite site(connection);
    MAEIL_TRY(close_the_past(site));  // a batch that publishes one of them counts by now, or never will
  }
  for (const auto& generation : condemned) {
    MAEIL_ASSIGN(const bool published, is_published(connection, generation.id));
    if (published) {
      MAEIL_TRY(connection.find_and_modify(kGenerations, {{"_id", id_value(generation.id)}},
                                           {{"$unset", {{"dropped", ""}}}}));
      continue;
    }
    MAEIL_TRY(drop_generation(connection, generation));
    ++removed;
  }
  return removed;
}

// Of batches that never began to count, and of writers that died before they removed theirs.
Status drop_journals(Connection& connection, Instant before) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(before).time_since_epoch().count();
  const std::string first_kept = fmt::format("{:08x}0000000000000000", static_cast<uint32_t>(seconds));
  const Document older = {{"batch", {{"$lt", id_value(first_kept)}}}};
  MAEIL_ASSIGN(const auto pieces, connection.find(kJournal, older, {{"projection", {{"batch", 1}}}}));
  if (pieces.empty()) return {};
  ServerSite site(connection);
  MAEIL_TRY(close_the_past(site));
  Ids batches;
  for (const auto& piece : pieces) batches.insert(id_text(member(piece, "batch")));
  for (const auto& batch : batches) MAEIL_TRY(site.remove_journal(batch));
  return {};
}

}  // namespace

Result<int64_t> drop_garbage(Connection& connection, Instant before) {
  if (!connection.server().transactions()) MAEIL_TRY(settle_to_write(connection));
  int64_t removed = 0;
  MAEIL_ASSIGN(const int64_t generations, drop_generations(connection, before));
  MAEIL_ASSIGN(const int64_t unfinished, drop_unfinished_blobs(connection, before));
  removed += generations + unfinished;

  MAEIL_ASSIGN(const auto blobs, all_blobs(connection, true));
  Ids named;
  MAEIL_ASSIGN(const auto collections, connection.collections());
  for (const auto& collection : collections) {
    if (is_public_collection(collection)) MAEIL_TRY(gather_from(connection, collection, named));
  }
  MAEIL_TRY(gather_from(connection, kPartitions, named));  // the constants of rows
  for (const auto& blob : blobs) {
    if (blob.uploaded >= before || named.contains(blob.id)) continue;
    MAEIL_TRY(drop_blob(connection, blob.id));
    ++removed;
  }
  MAEIL_TRY(drop_journals(connection, before));
  return removed;
}

Status check_everything(Connection& connection) {
  if (!connection.server().transactions()) MAEIL_TRY(settle_to_write(connection));
  MAEIL_ASSIGN(const auto collections, connection.collections());
  for (const auto& collection : collections) {
    if (!is_public_collection(collection)) continue;
    MAEIL_TRY(visit_raw(connection, collection, [&](const bson_t& one) -> Result<bool> {
      if (const auto read = from_bson(one, connection.server().codec()); !read) {
        return bad_input(fmt::format("{}: a document of {} is damaged: restore a backup",
                                     connection.server().label(), collection));
      }
      return true;
    }));
  }
  MAEIL_ASSIGN(const auto published, partitions(connection, Document::object()));
  for (const auto& partition : published) {
    MAEIL_TRY(visit_row_chunks(connection, partition.collection, partition.name, {},
                               [](const RowChunk&) -> Status { return {}; }));
  }
  MAEIL_ASSIGN(const auto blobs, all_blobs(connection, false));
  for (const auto& blob : blobs)
    MAEIL_TRY(visit_blob(connection, blob.id, [](std::string_view) -> Status { return {}; }));
  return {};
}

}  // namespace maeil::store::mongo
