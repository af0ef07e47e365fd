// The store on a MongoDB server: documents are documents, prepared rows are documents of their collection,
// blobs are GridFS files (bucket `fs`). What maeil keeps for itself is in collections whose names begin with
// `maeil_` (docs/mongodb.md).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/store.h"

namespace maeil::store {

struct MongoOptions {
  std::chrono::milliseconds lease{30'000};  // how long a lock outlives a holder that died on another machine
  // how long a call that failed for the network or a failover is tried again
  std::chrono::milliseconds retry{60'000};
  bool transactions = true;  // false: as if the server had none
  // false: kNotFound when the database holds nothing; nothing is made in such a one
  bool create = true;
  // makes nothing at all, so there are no locks either; implies create = false
  bool read_only = false;
  // gets a sentence when what is read may be half of a batch; once
  std::function<void(std::string_view)> warn = [](std::string_view) {};
};

// Connects and makes the indexes that are missing. `database` empty: the one the URI names, else
// mlops_default_prediction. kUsage: the URI is wrong, the server refuses the user, the certificate or the
// database's name. kUnavailable: no server answers (within serverSelectionTimeoutMS, 5 s unless the URI says
// otherwise). kBadInput: a newer maeil wrote the database.
//
// Every write is acknowledged by a majority and journaled, whatever the URI says. A password never appears in
// a message. The Store is thread safe; do not use it in a child after fork().
Result<std::unique_ptr<Store>> open_mongo(const std::string& uri, const std::string& database,
                                          const MongoOptions& options = {});

// "mongodb://user:password@host:port/?authSource=admin" with what needs it percent-encoded.
std::string make_mongo_uri(std::string_view host, int64_t port, std::string_view username,
                           std::string_view password);

}  // namespace maeil::store
