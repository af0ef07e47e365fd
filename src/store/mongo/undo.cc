// make_undo: what a batch's writes will change, as it is before them (journal.h).
#include <algorithm>
#include <map>

#include "store/mongo/journal.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kAtOnce = 500;  // ids in one question; a document's limit is far away

bool names_one(const Write& write) { return write.kind == Write::Kind::kReplace || write.kind == Write::Kind::kSet || write.kind == Write::Kind::kRemove; }

Bson copy_of(const bson_t& bson) {
  Bson out;
  bson_destroy(out.get());
  bson_copy_to(&bson, out.get());
  return out;
}

std::string id_of(const bson_t& bson) {
  bson_iter_t at;
  return bson_iter_init_find(&at, &bson, "_id") && BSON_ITER_HOLDS_OID(&at) ? hex_of(*bson_iter_oid(&at)) : "";
}

// {"_id": id}, or $in of several. One alone is looked up by servers that scan for $in (FerretDB).
Document any_of(std::span<const std::string> ids) {
  if (ids.size() == 1) return {{"_id", id_value(ids[0])}};
  Document list = Document::array();
  for (const auto& id : ids) list.push_back(id_value(id));
  return {{"_id", {{"$in", list}}}};
}

// What is there comes back as it was; what is not there goes.
Status undo_documents(Connection& connection, const std::string& collection, std::span<const std::string> ids, std::vector<Write>& undo) {
  std::map<std::string, Bson> before;
  MAEIL_ASSIGN(const Bson filter, to_bson(any_of(ids)));
  MAEIL_TRY(connection.find(collection, *filter.get(), Document::object(), [&](const bson_t& one) -> Result<bool> {
    before[id_of(one)] = copy_of(one);
    return true;
  }));
  for (const auto& id : ids) {
    MAEIL_ASSIGN(Bson selector, to_bson({{"_id", id_value(id)}}));
    const auto found = before.find(id);
    if (found == before.end()) undo.push_back({Write::Kind::kRemove, collection, std::move(selector), {}});
    else undo.push_back({Write::Kind::kReplace, collection, std::move(selector), std::move(found->second)});
  }
  return {};
}

// Rows of one generation share what such a write changes (their constants), so the first row says how it was.
Status undo_update(Connection& connection, const Write& write, std::vector<Write>& undo) {
  Bson row;
  MAEIL_TRY(connection.find(write.collection, *write.selector.get(), {{"limit", 1}}, [&](const bson_t& one) -> Result<bool> {
    row = copy_of(one);
    return false;
  }));
  Bson set, unset, update;
  bson_iter_t operators, fields, old;
  bson_iter_init(&operators, write.document.get());
  while (bson_iter_next(&operators)) {
    if (!BSON_ITER_HOLDS_DOCUMENT(&operators) || !bson_iter_recurse(&operators, &fields)) continue;
    while (bson_iter_next(&fields)) {
      const char* name = bson_iter_key(&fields);
      if (bson_iter_init_find(&old, row.get(), name)) bson_append_iter(set.get(), name, -1, &old);
      else BSON_APPEND_UTF8(unset.get(), name, "");
    }
  }
  if (!bson_empty(set.get())) BSON_APPEND_DOCUMENT(update.get(), "$set", set.get());
  if (!bson_empty(unset.get())) BSON_APPEND_DOCUMENT(update.get(), "$unset", unset.get());
  undo.push_back({Write::Kind::kUpdateMany, write.collection, copy_of(*write.selector.get()), std::move(update)});
  return {};
}

}  // namespace

Result<std::vector<Write>> make_undo(Connection& connection, std::span<const Write> writes) {
  std::vector<Write> undo;
  std::map<std::string, std::vector<std::string>> ids;
  for (const Write& write : writes) {
    if (names_one(write)) ids[write.collection].push_back(id_of(*write.selector.get()));
    if (write.kind == Write::Kind::kUpdateMany) MAEIL_TRY(undo_update(connection, write, undo));
  }
  for (auto& [collection, of_one] : ids) {
    std::ranges::sort(of_one);
    const auto again = std::ranges::unique(of_one);
    of_one.erase(again.begin(), again.end());
    for (size_t at = 0; at < of_one.size(); at += kAtOnce) {
      const std::span<const std::string> some(of_one.data() + at, std::min(kAtOnce, of_one.size() - at));
      MAEIL_TRY(undo_documents(connection, collection, some, undo));
    }
  }
  return undo;
}

}  // namespace maeil::store::mongo
