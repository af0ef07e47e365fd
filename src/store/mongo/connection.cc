#include "store/mongo/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "store/indexes.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct CollectionHandle {
  CollectionHandle(mongoc_client_t* client, const Server& server, const std::string& name)
      : handle(!client ? nullptr
                       : mongoc_client_get_collection(client, server.database().c_str(), name.c_str())) {}
  CollectionHandle(const CollectionHandle&) = delete;
  CollectionHandle& operator=(const CollectionHandle&) = delete;
  ~CollectionHandle() {
    if (handle) mongoc_collection_destroy(handle);
  }
  mongoc_collection_t* handle;
};

// True when every error in a reply to an insert is "this _id is there already".
bool only_duplicates(const bson_t* reply) {
  bson_iter_t at, errors, one;
  if (bson_iter_init_find(&at, reply, "writeConcernErrors") && bson_iter_recurse(&at, &errors) &&
      bson_iter_next(&errors))
    return false;
  if (!bson_iter_init_find(&at, reply, "writeErrors") || !bson_iter_recurse(&at, &errors)) return false;
  int count = 0;
  while (bson_iter_next(&errors)) {
    if (!bson_iter_recurse(&errors, &one) || !bson_iter_find(&one, "code") ||
        bson_iter_as_int64(&one) != kDuplicateKey)
      return false;
    ++count;
  }
  return count > 0;
}

Document journaled() { return {{"w", "majority"}, {"j", true}, {"wtimeout", 30000}}; }

}  // namespace

Connection::Connection(Server& server, bool retry)
    : server_(server), client_(mongoc_client_pool_pop(server.pool())), retry_(retry) {}

Connection::~Connection() {
  abort();
  if (client_) mongoc_client_pool_push(server_.pool(), client_);
}

Status Connection::run(const std::string& what,
                       const std::function<bool(int, bson_t*, bson_error_t*)>& call) {
  if (!client_) {
    fault_ = {};
    fault_.error = {
        ErrorCode::kUnavailable,
        fmt::format(
            "{}: cannot {}: all connections of this process are busy: raise maxPoolSize in MONGODB_URI",
            server_.label(), what)};
    return tl::unexpected<Error>(fault_.error);
  }
  const auto until = steady_clock::now() + server_.options().retry;
  milliseconds pause{10};
  for (int attempt = 0;; ++attempt) {
    bson_error_t error{};
    bson_t reply;
    if (call(attempt, &reply, &error)) {
      bson_destroy(&reply);
      return {};
    }
    fault_ = fault_of(error, &reply, server_.label(), what, server_.secret());
    bson_destroy(&reply);
    if (!fault_.may_retry || !retry_ || session_ || steady_clock::now() + pause > until)
      return tl::unexpected<Error>(fault_.error);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds{1000});
  }
}

Status Connection::options_with_session(Bson& options) {
  bson_error_t error;
  if (session_ && !mongoc_client_session_append(session_, options.get(), &error))
    return internal_error(error.message);
  return {};
}

Status Connection::begin() {
  if (!client_) return run("begin a transaction", nullptr);  // which says so
  bson_error_t error{};
  mongoc_transaction_opt_t* options = mongoc_transaction_opts_new();
  mongoc_read_concern_t* reads = mongoc_read_concern_new();
  mongoc_read_concern_set_level(reads, MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
  mongoc_transaction_opts_set_read_concern(options, reads);
  mongoc_write_concern_t* writes = mongoc_write_concern_new();
  mongoc_write_concern_set_wmajority(writes, 30'000);
  mongoc_write_concern_set_journal(writes, true);
  mongoc_transaction_opts_set_write_concern(options, writes);
  session_ = mongoc_client_start_session(client_, nullptr, &error);
  const bool begun = session_ && mongoc_client_session_start_transaction(session_, options, &error);
  mongoc_write_concern_destroy(writes);
  mongoc_read_concern_destroy(reads);
  mongoc_transaction_opts_destroy(options);
  if (begun) return {};
  fault_ = fault_of(error, nullptr, server_.label(), "begin a transaction", server_.secret());
  abort();
  return tl::unexpected<Error>(fault_.error);
}

Status Connection::end() {
  mongoc_client_session_t* session = session_;
  session_ = nullptr;  // so that run() tries again
  const Status done = run("commit a transaction", [&](int, bson_t* reply, bson_error_t* error) {
    return mongoc_client_session_commit_transaction(session, reply, error);
  });
  mongoc_client_session_destroy(session);
  return done;
}

void Connection::abort() {
  if (!session_) return;
  if (mongoc_client_session_in_transaction(session_))
    mongoc_client_session_abort_transaction(session_, nullptr);
  mongoc_client_session_destroy(session_);
  session_ = nullptr;
}

Result<Document> Connection::command(const std::string& what, const Document& command, bool write) {
  Document full = command;
  if (write && !session_) full["writeConcern"] = journaled();
  MAEIL_ASSIGN(const Bson bson, to_bson(full));
  Bson options;
  MAEIL_TRY(options_with_session(options));
  Result<Document> answer = Document();
  MAEIL_TRY(run(what, [&](int, bson_t* reply, bson_error_t* error) {
    bson_iter_t at;
    if (!mongoc_client_command_with_opts(client_, server_.database().c_str(), bson.get(), nullptr,
                                         options.get(), reply, error))
      return false;
    if (bson_iter_init_find(&at, reply, "writeConcernError")) {
      bson_set_error(error, MONGOC_ERROR_WRITE_CONCERN, 64, "not written to a majority in time");
      return false;
    }
    answer = from_bson(*reply);
    return true;
  }));
  return answer;
}

Result<Document> Connection::find_and_modify(const std::string& collection, const Document& filter,
                                             const Document& update, bool upsert) {
  MAEIL_ASSIGN(const Document answer, command(fmt::format("write to {}", collection),
                                              {{"findAndModify", collection},
                                               {"query", filter},
                                               {"update", update},
                                               {"new", true},
                                               {"upsert", upsert}},
                                              true));
  return member(answer, "value");
}

Status Connection::insert(const std::string& collection, std::span<const BsonView> documents) {
  if (documents.empty()) return {};
  CollectionHandle to(client_, server_, collection);
  std::vector<const bson_t*> pointers;
  pointers.reserve(documents.size());
  for (const BsonView& document : documents) pointers.push_back(&document.value);
  // Unordered, so that one that is there already does not hold up the others. What we write we made: no
  // validation.
  MAEIL_ASSIGN(Bson options, to_bson({{"ordered", session_ != nullptr}, {"validate", false}}));
  MAEIL_TRY(options_with_session(options));
  bool duplicates = false;
  const Status done =
      run(fmt::format("write to {}", collection), [&](int, bson_t* reply, bson_error_t* error) {
        if (mongoc_collection_insert_many(to.handle, pointers.data(), pointers.size(), options.get(), reply,
                                          error))
          return true;
        duplicates = !session_ && only_duplicates(reply);
        return false;
      });
  if (done || !duplicates) return done;
  const Fault refused = fault_;
  MAEIL_ASSIGN(const bool there, are_there(collection, documents));
  if (there) return {};
  fault_ = refused;
  return done;
}

Result<bool> Connection::are_there(const std::string& collection, std::span<const BsonView> documents) {
  constexpr size_t kAtOnce = 500;
  size_t found = 0;
  for (size_t at = 0; at < documents.size(); at += kAtOnce) {
    Document ids = Document::array();
    for (const BsonView& document : documents.subspan(at, std::min(kAtOnce, documents.size() - at))) {
      bson_iter_t id;
      if (bson_iter_init_find(&id, &document.value, "_id") && BSON_ITER_HOLDS_OID(&id))
        ids.push_back(id_value(hex_of(*bson_iter_oid(&id))));
    }
    MAEIL_ASSIGN(const auto there,
                 find(collection, {{"_id", {{"$in", ids}}}}, {{"projection", {{"_id", 1}}}}));
    found += there.size();
  }
  return found == documents.size();
}

Status Connection::insert_one(const std::string& collection, const Bson& document) {
  BsonView view;
  (void)bson_init_static(&view.value, bson_get_data(document.get()), document.get()->len);
  return insert(collection, {&view, 1});
}

Status Connection::write(std::span<const Write> writes) {
  for (size_t first = 0; first < writes.size();) {
    size_t last = first + 1;
    while (last < writes.size() && writes[last].collection == writes[first].collection) ++last;
    MAEIL_TRY(write_group(writes.subspan(first, last - first)));
    first = last;
  }
  return {};
}

Status Connection::write_group(std::span<const Write> writes) {
  const std::string collection(writes[0].collection);
  CollectionHandle to(client_, server_, collection);
  MAEIL_ASSIGN(Bson options, to_bson({{"ordered", true}}));
  MAEIL_TRY(options_with_session(options));
  MAEIL_ASSIGN(const Bson plain, to_bson({{"validate", false}}));
  MAEIL_ASSIGN(const Bson upsert, to_bson({{"validate", false}, {"upsert", true}}));
  return run(fmt::format("write to {}", collection), [&](int, bson_t* reply, bson_error_t* error) {
    mongoc_bulk_operation_t* bulk =
        mongoc_collection_create_bulk_operation_with_opts(to.handle, options.get());
    bool done = true;
    for (const Write& one : writes) {
      const bson_t* document = one.document ? one.document->get() : nullptr;
      switch (one.kind) {
        case Write::Kind::kInsert:
          done &= mongoc_bulk_operation_insert_with_opts(bulk, document, plain.get(), error);
          break;
        case Write::Kind::kUpsert:
          done &= mongoc_bulk_operation_replace_one_with_opts(bulk, one.selector.get(), document,
                                                              upsert.get(), error);
          break;
        case Write::Kind::kReplace:
          done &= mongoc_bulk_operation_replace_one_with_opts(bulk, one.selector.get(), document, plain.get(),
                                                              error);
          break;
        case Write::Kind::kRemove:
          done &= mongoc_bulk_operation_remove_one_with_opts(bulk, one.selector.get(), nullptr, error);
          break;
      }
      if (!done) break;
    }
    if (done)
      done = mongoc_bulk_operation_execute(bulk, reply, error) != 0;
    else
      bson_init(reply);
    mongoc_bulk_operation_destroy(bulk);
    return done;
  });
}

Result<int64_t> Connection::remove(const std::string& collection, const Document& filter) {
  CollectionHandle from(client_, server_, collection);
  MAEIL_ASSIGN(const Bson selector, to_bson(filter));
  Bson options;
  MAEIL_TRY(options_with_session(options));
  int64_t removed = 0;
  MAEIL_TRY(run(fmt::format("remove from {}", collection), [&](int, bson_t* reply, bson_error_t* error) {
    if (!mongoc_collection_delete_many(from.handle, selector.get(), options.get(), reply, error))
      return false;
    bson_iter_t at;
    if (bson_iter_init_find(&at, reply, "deletedCount")) removed += bson_iter_as_int64(&at);
    return true;
  }));
  return removed;
}

Status Connection::find(const std::string& collection, const bson_t& filter, const Document& options,
                        const std::function<Result<bool>(const bson_t&)>& visit) {
  CollectionHandle from(client_, server_, collection);
  Document all = options;
  if (server_.replicated() && !session_) all["readConcern"] = {{"level", "majority"}};
  MAEIL_ASSIGN(Bson bson, to_bson(all));
  MAEIL_TRY(options_with_session(bson));
  Status visited;
  bool any = false;
  MAEIL_TRY(run(fmt::format("read {}", collection), [&](int, bson_t* reply, bson_error_t* error) {
    mongoc_cursor_t* cursor = mongoc_collection_find_with_opts(from.handle, &filter, bson.get(), nullptr);
    const bson_t* document = nullptr;
    const bson_t* details = nullptr;
    bool go_on = true;
    while (go_on && mongoc_cursor_next(cursor, &document)) {
      any = true;
      const auto wanted = visit(*document);
      if (!wanted) visited = tl::unexpected<Error>(wanted.error());
      go_on = wanted && *wanted;
    }
    const bool failed = go_on && mongoc_cursor_error_document(cursor, error, &details);
    details ? bson_copy_to(details, reply) : bson_init(reply);
    mongoc_cursor_destroy(cursor);
    if (failed && any) {
      // What was handed out cannot be taken back; the caller's own retry starts from the beginning.
      visited = tl::unexpected<Error>(
          fault_of(*error, reply, server_.label(), fmt::format("read {}", collection), server_.secret())
              .error);
    }
    return !failed || any;
  }));
  return visited;
}

Result<std::vector<Document>> Connection::find(const std::string& collection, const Document& filter,
                                               const Document& options) {
  MAEIL_ASSIGN(const Bson bson, to_bson(filter));
  std::vector<Document> found;
  MAEIL_TRY(find(collection, *bson.get(), options, [&](const bson_t& one) -> Result<bool> {
    MAEIL_ASSIGN(Document document, from_bson(one));
    found.push_back(std::move(document));
    return true;
  }));
  return found;
}

Result<std::vector<std::string>> Connection::collections() {
  std::vector<std::string> names;
  mongoc_database_t* database =
      client_ ? mongoc_client_get_database(client_, server_.database().c_str()) : nullptr;
  const Status done = run("list the collections", [&](int, bson_t* reply, bson_error_t* error) {
    bson_init(reply);
    char** list = mongoc_database_get_collection_names_with_opts(database, nullptr, error);
    if (!list) return false;
    for (char** name = list; *name; ++name) names.emplace_back(*name);
    bson_strfreev(list);
    return true;
  });
  if (database) mongoc_database_destroy(database);
  MAEIL_TRY(done);
  std::ranges::sort(names);
  return names;
}

Status Connection::ensure_own_collection(const std::string& name) {
  // It must be there before a transaction writes to it, and twice is no error.
  if (const auto made = command(fmt::format("make the collection {}", name), {{"create", name}}, true);
      !made && fault_.code != kNamespaceExists) {
    return tl::unexpected<Error>(made.error());
  }
  return {};
}

Status Connection::ensure_collection(const std::string& name, bool documents) {
  const std::string known = name + (documents ? "\ndocuments" : "");
  if (server_.knows(known)) return {};
  MAEIL_TRY(ensure_own_collection(name));
  if (documents) {
    for (const Index* index : indexes_of(name)) {
      Document keys = Document::object();
      for (const auto& field : index->fields) keys[field] = 1;
      keys["_id"] = 1;  // ties in a sort
      MAEIL_TRY(ensure_index(name, keys));
    }
    MAEIL_TRY(ensure_index(name, {{"timestamp", -1}}));
    MAEIL_TRY(ensure_index(name, {{"logical_date", 1}}));
    MAEIL_TRY(ensure_index(name, {{"task_key", 1}}, "sparse"));
  }
  server_.learn(known);
  return {};
}

Status Connection::ensure_index(const std::string& collection, const Document& keys, const char* option) {
  std::string name;
  for (const auto& [field, direction] : keys.items())
    name += fmt::format("{}{}_{}", name.empty() ? "" : "_", field, direction.get<int>());
  Document index = {{"key", keys}, {"name", name}};
  if (option) index[option] = true;
  const auto made = command(fmt::format("make an index on {}", collection),
                            {{"createIndexes", collection}, {"indexes", Document::array({index})}}, true);
  // An index that people made under another name or with other options serves as well (85, 86).
  if (!made && fault_.code != 85 && fault_.code != 86) return tl::unexpected<Error>(made.error());
  return {};
}

}  // namespace maeil::store::mongo
