#include "registry/version_names.h"

#include <fmt/format.h>

#include "registry/versions.h"
#include "store/field_rules.h"

namespace maeil::registry {
namespace {

using store::Document;

std::string id_of_name(const std::string& name) { return store::task_object_id(name, kNames, 0); }

// What `owner` took before; "" when nothing. Databases of before named the document after the owner, so it is
// looked for by the field.
Result<std::string> name_of_owner(store::Store& store, std::string_view owner) {
  store::FindOptions mine;
  mine.filter = {{"taken_by", owner}};
  MAEIL_ASSIGN(const Document taken, store.find_one(kNames, mine));
  if (taken.is_null()) return std::string();
  std::string name = store::text_field(taken, "model_version");
  if (!is_version_name(name))
    return store::wrong_field(kNames, taken, "model_version", "is no version's name");
  return name;
}

Result<bool> is_in_use(store::Store& store, const std::string& name) {
  store::FindOptions same;
  same.filter = {{"model_version", name}};
  same.projection = {"model_version"};
  for (const char* collection : {kNames, kCollection}) {
    MAEIL_ASSIGN(const Document found, store.find_one(collection, same));
    if (!found.is_null()) return true;
  }
  return false;
}

}  // namespace

Result<std::string> take_version_name(store::Store& store, std::string_view owner, Instant instant) {
  MAEIL_ASSIGN(std::string name, name_of_owner(store, owner));
  if (!name.empty()) return name;
  for (;; instant += std::chrono::seconds(1)) {
    name = format_version(instant);
    MAEIL_ASSIGN(const bool in_use, is_in_use(store, name));
    if (in_use) continue;
    const std::string id = id_of_name(name);
    store::Batch batch;
    batch.expects.push_back({kNames, id, nullptr});
    batch.puts.push_back({kNames,
                          {{"_id", store::id_value(id)},
                           {"model_version", name},
                           {"taken_by", owner},
                           {"timestamp", store::date_value(now())}}});
    const Status taken = store.commit(batch);
    if (taken) return name;
    store::FindOptions by_id;
    by_id.filter = {{"_id", store::id_value(id)}};
    MAEIL_ASSIGN(const Document other, store.find_one(kNames, by_id));
    if (other.is_null()) return tl::make_unexpected(taken.error());
    // A commit whose answer was lost is there all the same, and one that was sent again meets itself.
    if (store::text_field(other, "taken_by") == owner) return name;
  }
}

}  // namespace maeil::registry
