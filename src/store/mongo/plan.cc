#include "store/mongo/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/order.h"
#include "store/set_fields.h"

namespace maeil::store::mongo {
namespace {

using Key = std::pair<std::string, std::string>;  // collection and id

Status check_collection(const std::string& name) {
  if (is_public_collection(name)) return {};
  return bad_input(fmt::format("\"{}\" may not be a collection's name here: it is empty, too long, holds $ or a zero byte, or begins with maeil_, system. or fs.", name));
}

// A document as stored bytes, checked as every store checks it.
Result<Bson> encode(Server& server, const std::string& collection, const Document& document) {
  const auto wrong = [&](const std::string& what) { return bad_input(fmt::format("document for {}: {}", collection, what)); };
  if (const Status valid = check_document(document); !valid) return wrong(valid.error().message);
  uint64_t nulled = 0;
  auto bson = to_bson(document, server.codec(), &nulled);
  if (!bson) return wrong(bson.error().message);
  if (bson->bytes().size() > kMaxBsonBytes) return wrong(fmt::format("it has {} bytes, more than the {} a document may have", bson->bytes().size(), kMaxBsonBytes));
  server.nulled += nulled;
  return std::move(*bson);
}

Bson by_id(const std::string& id) {
  Bson out;
  const bson_oid_t oid = oid_of(id);
  BSON_APPEND_OID(out.get(), "_id", &oid);
  return out;
}

std::string put_id(const Batch::Put& put) {
  const auto found = put.document.is_object() ? put.document.find("_id") : put.document.end();
  return put.document.is_object() && found != put.document.end() ? id_text(*found) : "";
}

class Planner {
 public:
  Planner(Connection& connection, const Shelf& shelf, const Request& request) : connection_(connection), shelf_(shelf), request_(request) {}

  Result<std::vector<Write>> plan(const std::vector<std::string>& collections) {
    const Batch& batch = request_.batch;
    for (const auto& expected : batch.expects) {
      MAEIL_ASSIGN(const Document found, stored(expected.collection, expected.id));
      MAEIL_TRY(check_expected(found, expected));
    }
    if (!batch.erase_task.empty()) MAEIL_TRY(erase_task(collections));
    for (const auto& put : batch.puts) MAEIL_TRY(add_put(put));
    for (const auto& set : batch.sets) MAEIL_TRY(add_set(set));
    for (const auto& publish : batch.publishes) MAEIL_TRY(add_publish(publish));
    for (const auto& erase : batch.erases) {
      if (is_id(erase.id)) writes_.push_back({Write::Kind::kRemove, erase.collection, by_id(erase.id), {}});
    }
    for (const auto& [collection, partition] : request_.erase_partitions) {
      MAEIL_ASSIGN(const auto found, find_partition(connection_, collection, partition));
      if (found) drop_partition(*found);
    }
    for (auto& write : last_) writes_.push_back(std::move(write));
    return std::move(writes_);
  }

 private:
  Server& server() { return connection_.server(); }

  Status add_put(const Batch::Put& put) {
    MAEIL_ASSIGN(Bson bson, encode(server(), put.collection, put.document));
    const std::string id = put_id(put);
    present_[{put.collection, id}] = put.document;
    writes_.push_back({Write::Kind::kReplace, put.collection, by_id(id), std::move(bson)});
    return {};
  }

  // Whole top-level fields are written, so that a path through null or into an array means here what it means in every store,
  // and fields of types that documents do not have stay as they are.
  Status add_set(const Batch::Set& set) {
    MAEIL_ASSIGN(Document document, current(set.collection, set.id));
    const auto wrong = [&](const Error& error) { return with_context(fmt::format("document {} of {}", set.id, set.collection), error); };
    if (const Status done = set_paths(document, set.fields); !done) return wrong(done.error());
    Document changed = Document::object();
    for (const auto& [path, value] : set.fields.items()) {
      const std::string top = split_path(path)[0];
      changed[top] = document[top];
    }
    if (const auto valid = encode(server(), set.collection, changed); !valid) return wrong(valid.error());
    present_[{set.collection, set.id}] = document;
    if (changed.contains("")) {  // $set knows no field without a name
      MAEIL_ASSIGN(Bson whole, encode(server(), set.collection, document));
      writes_.push_back({Write::Kind::kReplace, set.collection, by_id(set.id), std::move(whole)});
      return {};
    }
    if (changed.empty()) return {};
    MAEIL_ASSIGN(Bson fields, to_bson(changed, server().codec()));
    Bson update;
    BSON_APPEND_DOCUMENT(update.get(), "$set", fields.get());
    writes_.push_back({Write::Kind::kSet, set.collection, by_id(set.id), std::move(update)});
    return {};
  }

  // As it was before the batch; null when there is none.
  Result<Document> stored(const std::string& collection, const std::string& id) {
    Document document;
    if (!is_id(id)) return document;
    MAEIL_TRY(connection_.find(collection, *by_id(id).get(), {{"limit", 1}}, [&](const bson_t& one) -> Result<bool> {
      MAEIL_ASSIGN(document, from_bson(one, server().codec()));
      return false;
    }));
    return document;
  }

  // The document as the batch sees it so far.
  Result<Document> current(const std::string& collection, const std::string& id) {
    if (const auto found = present_.find({collection, id}); found != present_.end()) return found->second;
    Document document;
    if (!erased_.contains({collection, id})) {
      MAEIL_ASSIGN(document, stored(collection, id));
    }
    if (document.is_null()) return not_found(fmt::format("there is no document {} in {}", id, collection));
    return document;
  }

  Status add_publish(const Batch::Publish& publish) {
    MAEIL_ASSIGN(const auto old, find_partition(connection_, publish.collection, publish.partition));
    const auto waiting = shelf_.find(publish.generation);
    Partition next;
    if (waiting) {
      next.rows = waiting->spool.rows();
      for (const auto& column : waiting->spool.columns()) next.columns.emplace_back(column.name, "ids"[column.values.index()]);
    } else if (old && old->generation == publish.generation) {
      next = *old;
    } else {
      return not_found(fmt::format("rows of {} {}: there is no generation {}", publish.collection, publish.partition, publish.generation));
    }
    next.collection = publish.collection;
    next.name = publish.partition;
    next.generation = publish.generation;
    next.constants = publish.constants.is_null() ? Document::object() : publish.constants;
    if (!waiting && next.constants != old->constants) MAEIL_TRY(change_constants(*old, next));
    Document pointer = {{"_id", id_value(partition_id(publish.collection, publish.partition))}};
    pointer.update(next.document());
    if (waiting) pointer["nulled"] = waiting->spool.nulled();
    MAEIL_ASSIGN(Bson bson, encode(server(), kPartitions, pointer));
    writes_.push_back({Write::Kind::kReplace, kPartitions, by_id(id_text(pointer["_id"])), std::move(bson)});
    const bool replaces = old && old->generation != publish.generation;
    if (replaces) drop_rows(publish.collection, old->generation);
    MAEIL_ASSIGN(const auto abandoned, abandoned_generations(connection_, next));
    for (const auto& generation : abandoned) {
      if (!replaces || generation != old->generation) drop_rows(publish.collection, generation);
    }
    return {};
  }

  // The same generation once more, with other constants: its rows get them.
  Status change_constants(const Partition& old, const Partition& next) {
    Document set = Document::object(), unset = Document::object();
    const auto is_column = [&](const std::string& name) {
      return name == "_id" || std::ranges::any_of(next.columns, [&](const auto& column) { return column.first == name; });
    };
    for (const auto& [name, value] : old.constants.items()) {
      if (!is_column(name)) unset[name] = "";
    }
    for (const auto& [name, value] : next.constants.items()) {
      if (is_column(name)) continue;
      set[name] = value;
      unset.erase(name);
    }
    Document update = Document::object();
    if (!set.empty()) update["$set"] = set;
    if (!unset.empty()) update["$unset"] = unset;
    if (update.empty()) return {};
    MAEIL_ASSIGN(Bson selector, to_bson(row_range(next.generation)));
    MAEIL_ASSIGN(Bson bson, to_bson(update, server().codec()));
    writes_.push_back({Write::Kind::kUpdateMany, next.collection, std::move(selector), std::move(bson)});
    return {};
  }

  void drop_rows(const std::string& collection, const std::string& generation) {
    auto range = to_bson(row_range(generation));  // cannot fail: it holds ids, and the next one a date
    last_.push_back({Write::Kind::kRemoveMany, collection, std::move(*range), {}});
    auto dropped = to_bson({{"$set", {{"dropped", date_value(now())}}}});
    last_.push_back({Write::Kind::kSet, kGenerations, by_id(generation), std::move(*dropped)});
  }

  void drop_partition(const Partition& partition) {
    writes_.push_back({Write::Kind::kRemove, kPartitions, by_id(partition_id(partition.collection, partition.name)), {}});
    drop_rows(partition.collection, partition.generation);
  }

  Status erase_task(const std::vector<std::string>& collections) {
    const Batch& batch = request_.batch;
    std::set<Key> kept, published;
    for (const auto& put : batch.puts) kept.emplace(put.collection, put_id(put));
    for (const auto& publish : batch.publishes) published.emplace(publish.collection, publish.partition);
    MAEIL_ASSIGN(const Bson of_task, to_bson({{"task_key", batch.erase_task}}));
    for (const auto& collection : collections) {
      if (!is_public_collection(collection)) continue;
      std::vector<std::string> old;
      MAEIL_TRY(connection_.find(collection, *of_task.get(), {{"projection", {{"_id", 1}}}}, [&](const bson_t& one) -> Result<bool> {
        bson_iter_t at;
        if (bson_iter_init_find(&at, &one, "_id") && BSON_ITER_HOLDS_OID(&at)) old.push_back(hex_of(*bson_iter_oid(&at)));
        return true;
      }));
      if (old.empty()) continue;
      MAEIL_ASSIGN(const Generations generations, Generations::of(connection_, collection));
      for (const auto& id : old) {
        if (kept.contains({collection, id}) || generations.owns(oid_of(id))) continue;
        writes_.push_back({Write::Kind::kRemove, collection, by_id(id), {}});
        erased_.emplace(collection, id);
      }
    }
    MAEIL_ASSIGN(const auto old, partitions(connection_, {{"task_key", batch.erase_task}}));
    for (const auto& partition : old) {
      if (!published.contains({partition.collection, partition.name})) drop_partition(partition);
    }
    return {};
  }

  Connection& connection_;
  const Shelf& shelf_;
  const Request& request_;
  std::vector<Write> writes_, last_;
  std::map<Key, Document> present_;  // what the batch made or changed
  std::set<Key> erased_;
};

}  // namespace

bool is_public_collection(std::string_view name) {
  return !name.empty() && name.size() <= 180 && !name.starts_with("maeil_") && !name.starts_with("system.") && !name.starts_with("fs.") &&
         !name.starts_with('.') && !name.ends_with('.') && name.find('$') == std::string_view::npos && name.find('\0') == std::string_view::npos &&
         bson_utf8_validate(name.data(), name.size(), false);
}

Status check_request(const Request& request) {
  for (const auto& put : request.batch.puts) {
    MAEIL_TRY(check_collection(put.collection));
    if (put_id(put).empty()) return bad_input(fmt::format("document for {}: its _id is no {{\"$oid\": 24 hex digits}}", put.collection));
  }
  for (const auto& set : request.batch.sets) MAEIL_TRY(check_collection(set.collection));
  for (const auto& publish : request.batch.publishes) MAEIL_TRY(check_collection(publish.collection));
  for (const auto& erase : request.batch.erases) MAEIL_TRY(check_collection(erase.collection));
  return {};
}

Result<std::vector<NewRows>> rows_to_insert(const Server& server, const Shelf& shelf, const Batch& batch) {
  std::vector<NewRows> out;
  for (const auto& publish : batch.publishes) {
    const auto waiting = shelf.find(publish.generation);
    if (!waiting) continue;  // published before, or unknown: the plan finds out
    const std::string label = fmt::format("rows of {} {}", publish.collection, publish.partition);
    if (waiting->collection != publish.collection || waiting->partition != publish.partition) {
      return internal_error(fmt::format("{}: generation {} was written for {} {}", label, publish.generation, waiting->collection, waiting->partition));
    }
    Document constants = publish.constants.is_null() ? Document::object() : publish.constants;
    if (const Status valid = check_document(constants); !valid) return with_context(label, valid.error());
    constants.erase("_id");
    for (const auto& column : waiting->spool.columns()) constants.erase(column.name);
    MAEIL_ASSIGN(const Bson bson, to_bson(constants, server.codec()));
    if (bson.bytes().size() > (1 << 20)) return bad_input(fmt::format("{}: the constants have more than 1 MiB", label));
    out.push_back({publish.generation, waiting, std::string(bson.bytes().substr(4, bson.bytes().size() - 5))});
  }
  return out;
}

Result<std::vector<Write>> make_plan(Connection& connection, const Shelf& shelf, const Request& request, const std::vector<std::string>& collections) {
  return Planner(connection, shelf, request).plan(collections);
}

}  // namespace maeil::store::mongo
