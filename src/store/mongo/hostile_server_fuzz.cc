// A database that is any documents at all: opened, looked at by every call that reads, locked, written to and
// cleaned. Retries and waits take no time here.
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "store/mongo/mongo_store.h"
#include "store/mongo/server.h"
#include "store/store.h"

// std::this_thread::sleep_for is this one.
extern "C" int nanosleep(const timespec*, timespec*) { return 0; }

namespace maeil::store::mongo {
namespace {

struct Contents {
  std::map<std::string, std::vector<Bson>> collections;  // and what it says to "hello"
  int calls_left = 300;                                  // then it is away, so that nothing goes on forever

  // {"maeil_heads": [{...}, ...], ...} as Extended JSON. False: it is none.
  bool read(const uint8_t* json, size_t size) {
    bson_error_t error;
    bson_t* all = bson_new_from_json(json, static_cast<ssize_t>(size), &error);
    if (!all) return false;
    bson_iter_t name, one;
    if (bson_iter_init(&name, all)) {
      while (bson_iter_next(&name)) {
        auto& documents = collections[bson_iter_key(&name)];
        if (!BSON_ITER_HOLDS_ARRAY(&name) || !bson_iter_recurse(&name, &one)) continue;
        while (bson_iter_next(&one)) {
          const uint8_t* bytes = nullptr;
          uint32_t length = 0;
          if (BSON_ITER_HOLDS_DOCUMENT(&one)) bson_iter_document(&one, &length, &bytes);
          bson_t view;
          if (bytes && bson_init_static(&view, bytes, length)) documents.push_back(copy_of(view));
        }
      }
    }
    bson_destroy(all);
    return true;
  }
  const std::vector<Bson>* find(const std::string& name) const {
    const auto found = collections.find(name);
    return found == collections.end() || found->second.empty() ? nullptr : &found->second;
  }
};

Contents contents;

struct Cursor {
  const std::vector<Bson>* documents;
  size_t at = 0;
  bool away;
};

bool is_away(bson_error_t* error) {
  if (contents.calls_left-- > 0) return false;
  if (error) bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, "away");
  return true;
}

bool answer(bson_t* reply, bson_error_t* error) {
  bson_init(reply);
  return !is_away(error);
}

bool answer_command(const bson_t* command, bson_t* reply, bson_error_t* error) {
  if (!answer(reply, error)) return false;
  bson_iter_t at;
  if (!bson_iter_init(&at, command) || !bson_iter_next(&at)) return true;
  const std::string verb = bson_iter_key(&at);
  if (const auto* said = contents.find(verb)) {
    bson_concat(reply, said->front().get());
  } else if (verb == "hello") {
    BSON_APPEND_DATE_TIME(reply, "localTime", 1'700'000'000'000);
  } else if (verb == "findAndModify" && BSON_ITER_HOLDS_UTF8(&at)) {
    if (const auto* there = contents.find(bson_iter_utf8(&at, nullptr)))
      BSON_APPEND_DOCUMENT(reply, "value", there->front().get());
  }
  return true;
}

template <class Handle>
Handle* anything() {
  static char place;
  return reinterpret_cast<Handle*>(&place);
}

// In the driver's place: everything that would speak to a server.
void replace_the_network() {
  mongoc_client_pool_new_with_error = [](const mongoc_uri_t*, bson_error_t*) {
    return anything<mongoc_client_pool_t>();
  };
  mongoc_client_pool_destroy = [](mongoc_client_pool_t*) {};
  mongoc_client_pool_set_error_api = [](mongoc_client_pool_t*, int32_t) { return true; };
  mongoc_client_pool_set_appname = [](mongoc_client_pool_t*, const char*) { return true; };
  mongoc_client_pool_max_size = [](mongoc_client_pool_t*, uint32_t) {};
  mongoc_client_pool_pop = [](mongoc_client_pool_t*) { return anything<mongoc_client_t>(); };
  mongoc_client_pool_push = [](mongoc_client_pool_t*, mongoc_client_t*) {};

  mongoc_client_start_session = [](mongoc_client_t*, const mongoc_session_opt_t*, bson_error_t*) {
    return anything<mongoc_client_session_t>();
  };
  mongoc_client_session_start_transaction = [](mongoc_client_session_t*, const mongoc_transaction_opt_t*,
                                               bson_error_t*) { return true; };
  mongoc_client_session_append = [](const mongoc_client_session_t*, bson_t*, bson_error_t*) { return true; };
  mongoc_client_session_in_transaction = [](const mongoc_client_session_t*) { return false; };
  mongoc_client_session_commit_transaction = [](mongoc_client_session_t*, bson_t* reply,
                                                bson_error_t* error) { return answer(reply, error); };
  mongoc_client_session_destroy = [](mongoc_client_session_t*) {};

  mongoc_client_command_with_opts = [](mongoc_client_t*, const char*, const bson_t* command,
                                       const mongoc_read_prefs_t*, const bson_t*, bson_t* reply,
                                       bson_error_t* error) { return answer_command(command, reply, error); };
  mongoc_client_get_database = [](mongoc_client_t*, const char*) { return anything<mongoc_database_t>(); };
  mongoc_database_destroy = [](mongoc_database_t*) {};
  mongoc_database_get_collection_names_with_opts = [](mongoc_database_t*, const bson_t*,
                                                      bson_error_t* error) {
    if (is_away(error)) return static_cast<char**>(nullptr);
    const size_t count = contents.collections.size();
    auto** names = static_cast<char**>(bson_malloc0((count + 1) * sizeof(char*)));
    size_t at = 0;
    for (const auto& [name, documents] : contents.collections) names[at++] = bson_strdup(name.c_str());
    return names;
  };

  mongoc_client_get_collection = [](mongoc_client_t*, const char*, const char* name) {
    return reinterpret_cast<mongoc_collection_t*>(new std::string(name));
  };
  mongoc_collection_destroy = [](mongoc_collection_t* collection) {
    delete reinterpret_cast<std::string*>(collection);
  };
  mongoc_collection_find_with_opts = [](mongoc_collection_t* collection, const bson_t*, const bson_t*,
                                        const mongoc_read_prefs_t*) {
    return reinterpret_cast<mongoc_cursor_t*>(
        new Cursor{contents.find(*reinterpret_cast<std::string*>(collection)), 0, is_away(nullptr)});
  };
  mongoc_cursor_next = [](mongoc_cursor_t* opaque, const bson_t** document) {
    auto& cursor = *reinterpret_cast<Cursor*>(opaque);
    if (cursor.away || !cursor.documents || cursor.at == cursor.documents->size()) return false;
    *document = (*cursor.documents)[cursor.at++].get();
    return true;
  };
  mongoc_cursor_error_document = [](mongoc_cursor_t* cursor, bson_error_t* error, const bson_t**) {
    return reinterpret_cast<Cursor*>(cursor)->away && is_away(error);
  };
  mongoc_cursor_destroy = [](mongoc_cursor_t* cursor) { delete reinterpret_cast<Cursor*>(cursor); };

  mongoc_collection_insert_many = [](mongoc_collection_t*, const bson_t**, size_t, const bson_t*,
                                     bson_t* reply, bson_error_t* error) { return answer(reply, error); };
  mongoc_collection_delete_many = [](mongoc_collection_t*, const bson_t*, const bson_t*, bson_t* reply,
                                     bson_error_t* error) { return answer(reply, error); };
  mongoc_collection_create_bulk_operation_with_opts = [](mongoc_collection_t*, const bson_t*) {
    return anything<mongoc_bulk_operation_t>();
  };
  mongoc_bulk_operation_insert_with_opts = [](mongoc_bulk_operation_t*, const bson_t*, const bson_t*,
                                              bson_error_t*) { return true; };
  mongoc_bulk_operation_replace_one_with_opts = [](mongoc_bulk_operation_t*, const bson_t*, const bson_t*,
                                                   const bson_t*, bson_error_t*) { return true; };
  mongoc_bulk_operation_remove_one_with_opts = [](mongoc_bulk_operation_t*, const bson_t*, const bson_t*,
                                                  bson_error_t*) { return true; };
  mongoc_bulk_operation_execute = [](mongoc_bulk_operation_t*, bson_t* reply, bson_error_t* error) {
    return static_cast<uint32_t>(answer(reply, error));
  };
  mongoc_bulk_operation_destroy = [](mongoc_bulk_operation_t*) {};
}

void use_everything(Store& store) {
  (void)store.time();
  (void)store.lock_holder("runner");
  (void)store.foreign();
  (void)store.check();
  (void)store.blobs();
  for (const auto& [name, documents] : contents.collections) {
    (void)store.find(name, {});
    const auto partitions = store.row_partitions(name);
    for (size_t i = 0; partitions && i < partitions->size(); ++i) {
      (void)store.row_constants(name, (*partitions)[i]);
      (void)store.read_rows(name, (*partitions)[i], {}, [](const RowChunk&) -> Status { return {}; });
    }
  }
  const auto lock = store.lock("runner", "fuzzer");
  Batch batch;
  batch.puts.push_back({"alerts", {{"_id", id_value("0000000000000000000000a1")}, {"x", 1}}});
  batch.sets.push_back({"alerts", "0000000000000000000000a2", {{"x", 2}}});
  (void)store.commit(batch);
  (void)store.erase_rows("alerts", "p");
  (void)store.collect_garbage(now());
}

}  // namespace
}  // namespace maeil::store::mongo

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const auto loaded = maeil::store::mongo::load_driver(); !loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    std::exit(1);
  }
  maeil::store::mongo::replace_the_network();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::store;
  mongo::contents = {};
  if (!mongo::contents.read(data, size)) return 0;
  MongoOptions options;
  options.retry = {};
  options.lease = std::chrono::hours(1);
  if (const auto store = open_mongo("mongodb://127.0.0.1/", "fuzz", options)) mongo::use_everything(**store);
  return 0;
}
