#include "store/mongo/batch_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "store/order.h"
#include "store/set_fields.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kAtOnce = 500;  // ids in one question; a document's limit is far away

using Key = std::pair<std::string, std::string>;  // collection and id

Status check_collection(const std::string& name) {
  if (is_public_collection(name)) return {};
  return bad_input(
      fmt::format("\"{}\" may not be a collection's name here: it is empty, too long, holds $ or a zero "
                  "byte, or begins with "
                  "maeil_, system. or fs.",
                  name));
}

std::string put_id(const Batch::Put& put) {
  const auto found = put.document.is_object() ? put.document.find("_id") : put.document.end();
  return put.document.is_object() && found != put.document.end() ? id_text(*found) : "";
}

// {"_id": id}, or $in of several. One alone is looked up by servers that scan for $in (FerretDB).
Document any_of(std::span<const std::string> ids) {
  if (ids.size() == 1) return {{"_id", id_value(ids[0])}};
  Document list = Document::array();
  for (const auto& id : ids) list.push_back(id_value(id));
  return {{"_id", {{"$in", list}}}};
}

void name_batch(Bson& document, const std::string& batch) {
  const bson_oid_t id = oid_of(batch);
  BSON_APPEND_OID(document.get(), kBatchField, &id);
}

// A document as it was, member by member, but with other values for some of its top-level fields, and another
// batch.
Bson with_fields(const bson_t& old, const bson_t& fields, const std::string& batch) {
  Bson out;
  bson_iter_t at, changed;
  for (bson_iter_init(&at, &old); bson_iter_next(&at);) {
    const char* name = bson_iter_key(&at);
    if (std::string_view(name) == kBatchField) continue;
    const bool replaced = bson_iter_init_find(&changed, &fields, name);
    bson_append_iter(out.get(), name, -1, replaced ? &changed : &at);
  }
  for (bson_iter_init(&changed, &fields); bson_iter_next(&changed);) {
    if (!bson_iter_init_find(&at, &old, bson_iter_key(&changed)))
      bson_append_iter(out.get(), nullptr, 0, &changed);
  }
  name_batch(out, batch);
  return out;
}

class Planner {
 public:
  Planner(Connection& connection, const Request& request, const std::string& id,
          const std::vector<std::string>& refused)
      : connection_(connection),
        request_(request),
        id_(id),
        refused_(refused),
        undone_(new_object_id(now())) {}

  Result<BatchPlan> plan() {
    const Batch& batch = request_.batch;
    MAEIL_TRY(look_up());
    for (const auto& expected : batch.expects) {
      MAEIL_ASSIGN(const Document found, stored({expected.collection, expected.id}));
      MAEIL_TRY(check_expected(found, expected));
    }
    for (const auto& put : batch.puts) MAEIL_TRY(add_put({put.collection, put_id(put)}, put.document));
    for (const auto& set : batch.sets) MAEIL_TRY(add_set(set));
    for (const auto& publish : batch.publishes) MAEIL_TRY(add_publish(publish));
    for (const auto& erase : batch.erases) add_erase({erase.collection, erase.id});
    for (const auto& [collection, partition] : request_.erase_partitions)
      MAEIL_TRY(erase_partition(collection, partition));
    // What was made and erased again is no change.
    std::erase_if(out_.changes,
                  [](const Change& one) { return !one.exists_before() && !one.exists_after(); });
    return std::move(out_);
  }

 private:
  // Every document that the batch names, as it is now.
  Status look_up() {
    const Batch& batch = request_.batch;
    std::map<std::string, std::set<std::string>> wanted;
    const auto want = [&](const std::string& collection, const std::string& id) {
      if (is_id(id)) wanted[collection].insert(id);
    };
    for (const auto& expected : batch.expects) want(expected.collection, expected.id);
    for (const auto& put : batch.puts) want(put.collection, put_id(put));
    for (const auto& set : batch.sets) want(set.collection, set.id);
    for (const auto& erase : batch.erases) want(erase.collection, erase.id);
    for (const auto& one : batch.publishes) {
      want(kPartitions, partition_id(one.collection, one.partition));
      want(kGenerations, one.generation);
    }
    for (const auto& [collection, partition] : request_.erase_partitions)
      want(kPartitions, partition_id(collection, partition));
    for (const auto& [collection, set] : wanted) {
      const std::vector<std::string> ids(set.begin(), set.end());
      for (size_t at = 0; at < ids.size(); at += kAtOnce) {
        MAEIL_ASSIGN(const Bson filter,
                     to_bson(any_of(std::span(ids).subspan(at, std::min(kAtOnce, ids.size() - at)))));
        MAEIL_TRY(connection_.find(
            collection, *filter.get(), Document::object(), [&](const bson_t& one) -> Result<bool> {
              bson_iter_t id, named;
              if (bson_iter_init_find(&named, &one, kBatchField) && !BSON_ITER_HOLDS_OID(&named)) {
                return bad_input(fmt::format(
                    "{}: somebody has changed the field {} of a document in {}: remove that field there",
                    connection_.server().label(), kBatchField, collection));
              }
              const bool is_one = std::ranges::find(refused_, batch_of(one)) == refused_.end();
              if (is_one && bson_iter_init_find(&id, &one, "_id"))
                before_[{collection, hex_of(*bson_iter_oid(&id))}] = copy_of(one);
              return true;
            }));
      }
    }
    return {};
  }

  // As it was before the batch; null when there was none.
  Result<Document> stored(const Key& key) {
    const auto found = before_.find(key);
    if (found == before_.end()) return Document();
    return from_bson(*found->second.get(), connection_.server().codec());
  }

  // As the batch has left it so far.
  Result<Document> current(const Key& key) {
    const auto found = now_.find(key);
    return found != now_.end() ? Result<Document>(found->second) : stored(key);
  }

  // As stored bytes, checked as every store checks it.
  Result<Bson> encode(const std::string& collection, const Document& document) {
    const auto wrong = [&](const std::string& what) {
      return bad_input(fmt::format("document for {}: {}", collection, what));
    };
    if (const Status valid = check_document(document); !valid) return wrong(valid.error().message);
    uint64_t nulled = 0;
    Document own;  // without a field that only the store writes
    if (document.contains(kBatchField)) (own = document).erase(kBatchField);
    auto bson = to_bson(own.is_null() ? document : own, connection_.server().codec(), &nulled);
    if (!bson) return wrong(bson.error().message);
    constexpr size_t kMost = kMaxBsonBytes - 64;  // the batch's name comes to it
    if (bson->bytes().size() > kMost) {
      return wrong(
          fmt::format("it has {} bytes, more than the {} a document may have", bson->bytes().size(), kMost));
    }
    connection_.server().nulled += nulled;
    return bson;
  }

  Change& change_of(const Key& key) {
    const auto [found, is_new] = places_.emplace(key, out_.changes.size());
    if (!is_new) return out_.changes[found->second];
    Change& change = out_.changes.emplace_back(Change{key.first, key.second, "", {}, {}});
    if (const auto before = before_.find(key); before != before_.end()) {
      change.seen = batch_of(*before->second.get());
      change.before = with_fields(*before->second.get(), *Bson().get(), undone_);
    } else {
      change.refused = refused_;
    }
    return change;
  }

  Status add_put(const Key& key, const Document& document) {
    MAEIL_ASSIGN(Bson bson, encode(key.first, document));
    now_[key] = document;
    name_batch(bson, id_);
    change_of(key).after = std::move(bson);
    return {};
  }

  // Whole top-level fields are written, so that a path through null or into an array means here what it means
  // in every store, and fields of types that documents do not have stay as they are.
  Status add_set(const Batch::Set& set) {
    const Key key{set.collection, set.id};
    MAEIL_ASSIGN(Document document, current(key));
    if (document.is_null())
      return not_found(fmt::format("there is no document {} in {}", set.id, set.collection));
    if (const Status done = set_paths(document, set.fields); !done) {
      return with_context(fmt::format("document {} of {}", set.id, set.collection), done.error());
    }
    Document changed = Document::object();
    for (const auto& [path, value] : set.fields.items()) {
      const std::string top = split_path(path)[0];
      changed[top] = document[top];
    }
    MAEIL_ASSIGN(const Bson fields, encode(set.collection, changed));
    Change& change = change_of(key);
    const Bson& old = change.exists_after() ? change.after : before_.at(key);
    change.after = with_fields(*old.get(), *fields.get(), id_);
    if (change.after.bytes().size() > kMaxBsonBytes) {
      return bad_input(
          fmt::format("document {} of {}: it would have {} bytes, more than the {} a document may have",
                      set.id, set.collection, change.after.bytes().size(), kMaxBsonBytes));
    }
    now_[key] = std::move(document);
    return {};
  }

  void add_erase(const Key& key) {
    if (!is_id(key.second) || (!before_.contains(key) && !now_.contains(key))) return;
    change_of(key).after = {};
    now_[key] = Document();
  }

  Status add_publish(const Batch::Publish& publish) {
    MAEIL_ASSIGN(const auto old, shown(publish.collection, publish.partition));
    MAEIL_ASSIGN(const Document entry, stored({kGenerations, publish.generation}));
    MAEIL_ASSIGN(const Document written, finished_generation(connection_.server(), entry, publish.collection,
                                                             publish.partition, publish.generation));
    // So that whoever removes what nobody publishes meets this batch.
    MAEIL_TRY(add_set({kGenerations, publish.generation, {{"published", true}}}));
    const std::string id = partition_id(publish.collection, publish.partition);
    Document pointer = {{"_id", id_value(id)}};
    pointer.update(written);
    MAEIL_TRY(add_put({kPartitions, id}, pointer));
    if (old && old->generation != publish.generation)
      out_.unreferenced.push_back({old->collection, old->generation});
    MAEIL_ASSIGN(const auto abandoned, abandoned_generations(connection_, publish.collection,
                                                             publish.partition, publish.generation));
    for (const auto& generation : abandoned) {
      if (!old || generation != old->generation)
        out_.unreferenced.push_back({publish.collection, generation});
    }
    return {};
  }

  Status erase_partition(const std::string& collection, const std::string& partition) {
    MAEIL_ASSIGN(const auto old, shown(collection, partition));
    if (!old) return {};
    add_erase({kPartitions, partition_id(collection, partition)});
    out_.unreferenced.push_back({collection, old->generation});
    return {};
  }

  Result<std::optional<Partition>> shown(const std::string& collection, const std::string& partition) {
    MAEIL_ASSIGN(const Document document, current({kPartitions, partition_id(collection, partition)}));
    if (document.is_null()) return std::nullopt;
    MAEIL_ASSIGN(Partition out, partition_from(connection_.server(), document));
    return std::optional(std::move(out));
  }

  Connection& connection_;
  const Request& request_;
  const std::string id_;
  const std::vector<std::string>& refused_;
  const std::string undone_;  // what taking back names documents after
  std::map<Key, Bson> before_;
  std::map<Key, Document> now_;  // what the batch made, changed or (null) erased
  std::map<Key, size_t> places_;
  BatchPlan out_;
};

}  // namespace

bool is_public_collection(std::string_view name) {
  return !name.empty() && name.size() <= 180 && !name.starts_with("maeil_") && !name.starts_with("system.") &&
         !name.starts_with("fs.") && !name.starts_with('.') && !name.ends_with('.') &&
         name.find('$') == std::string_view::npos && name.find('\0') == std::string_view::npos &&
         bson_utf8_validate(name.data(), name.size(), false);
}

Status check_request(const Request& request) {
  for (const auto& put : request.batch.puts) {
    MAEIL_TRY(check_collection(put.collection));
    if (put_id(put).empty())
      return bad_input(
          fmt::format("document for {}: its _id is no {{\"$oid\": 24 hex digits}}", put.collection));
  }
  for (const auto& set : request.batch.sets) MAEIL_TRY(check_collection(set.collection));
  for (const auto& publish : request.batch.publishes) MAEIL_TRY(check_collection(publish.collection));
  for (const auto& erase : request.batch.erases) MAEIL_TRY(check_collection(erase.collection));
  return {};
}

Result<BatchPlan> plan_batch(Connection& connection, const Request& request, const std::string& id,
                             const std::vector<std::string>& refused) {
  return Planner(connection, request, id, refused).plan();
}

}  // namespace maeil::store::mongo
