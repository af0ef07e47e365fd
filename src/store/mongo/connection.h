// One borrowed connection: commands, finds and bulk writes as values for errors, tried again where that is
// safe.
//
// Outside a transaction every call is tried again after a passing fault (network, failover, write conflict)
// until MongoOptions::retry is over; so every call must be one that may happen twice. Inside a transaction
// nothing is tried again: the transaction as a whole is (commit.cc). Not thread safe.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "store/mongo/change.h"
#include "store/mongo/driver.h"
#include "store/mongo/faults.h"
#include "store/mongo/server.h"

namespace maeil::store::mongo {

class Connection {
 public:
  // Waits for one of the pool's; when none is free in time (waitQueueTimeoutMS) every call is kUnavailable.
  explicit Connection(Server& server, bool retry = true);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Server& server() const { return server_; }
  const Fault& fault() const { return fault_; }  // of the last call that failed

  void set_retry(bool retry) { retry_ = retry; }

  // A transaction over the calls that follow, with majority and journaled commit. Destruction aborts it.
  Status begin();
  Status end();  // commits; tried again while the outcome is unknown
  void abort();

  // A database command; a write says so, so that it waits for majority and journal.
  Result<Document> command(const std::string& what, const Document& command, bool write = false);

  // findAndModify that returns the document after the change; null when nothing matched (and nothing was
  // inserted).
  Result<Document> find_and_modify(const std::string& collection, const Document& filter,
                                   const Document& update, bool upsert = false);

  // Documents with ids of our own that nobody else has: one that is there already was written by a try that
  // looked lost. Another unique index that people made, and that refuses one of them, is an error
  // (Fault::duplicate).
  Status insert(const std::string& collection, std::span<const BsonView> documents);
  Status insert_one(const std::string& collection, const Bson& document);

  // In this order, until one is refused. A guard that does not match is no error.
  Status write(std::span<const Write> writes);

  Result<int64_t> remove(const std::string& collection, const Document& filter);

  // Calls visit for each match until it says false. `options`: projection, sort, limit, batchSize, hint.
  // Tried again only before the first document. visit may use other connections.
  Status find(const std::string& collection, const bson_t& filter, const Document& options,
              const std::function<Result<bool>(const bson_t&)>& visit);
  // All matches as documents (plain codec): for maeil's own small collections.
  Result<std::vector<Document>> find(const std::string& collection, const Document& filter,
                                     const Document& options = Document::object());

  Result<std::vector<std::string>> collections();         // all names, sorted
  Status ensure_own_collection(const std::string& name);  // one of maeil's, without indexes
  // made and indexed; `documents`: with the indexes of tasks' documents
  Status ensure_collection(const std::string& name, bool documents);
  // "unique", "sparse"
  Status ensure_index(const std::string& collection, const Document& keys, const char* option = nullptr);

 private:
  // call(attempt, reply, error): true when it worked. `reply` is initialised by the driver in every call.
  Status run(const std::string& what,
             const std::function<bool(int attempt, bson_t* reply, bson_error_t* error)>& call);
  Status options_with_session(Bson& options);
  Status write_group(std::span<const Write> writes);
  Result<bool> are_there(const std::string& collection, std::span<const BsonView> documents);

  Server& server_;
  mongoc_client_t* client_;
  bool retry_;
  mongoc_client_session_t* session_ = nullptr;  // of a transaction
  Fault fault_;
};

}  // namespace maeil::store::mongo
