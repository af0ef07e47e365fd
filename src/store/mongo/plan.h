// A batch turned into writes: everything it asks is looked up and checked here, so that applying the writes cannot fail for what
// the batch says, only for the server.
#pragma once

#include "store/mongo/generation.h"
#include "store/store.h"

namespace maeil::store::mongo {

struct Request {
  const Batch& batch;
  std::vector<std::pair<std::string, std::string>> erase_partitions = {};  // (collection, partition), as erase_rows asks
};

// Rows that have to be on the server before the writes.
struct NewRows {
  std::string generation;
  std::shared_ptr<Waiting> waiting;
  std::string constants;  // BSON members
};

// kBadInput for what the batch may not hold; looks at the server for nothing.
Status check_request(const Request& request);

// The rows that the batch's publishes wait for. kNotFound, kInternal: see Store::commit.
Result<std::vector<NewRows>> rows_to_insert(const Server& server, const Shelf& shelf, const Batch& batch);

// In the order that the interface demands; the rows of replaced generations go last. `collections`: all there are.
// REQUIRES: nobody else writes (a transaction, or the slot).
Result<std::vector<Write>> make_plan(Connection& connection, const Shelf& shelf, const Request& request, const std::vector<std::string>& collections);

// Whether people and tasks may use this name for a collection.
bool is_public_collection(std::string_view name);

}  // namespace maeil::store::mongo
