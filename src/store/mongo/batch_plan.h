// A batch turned into changes: everything it asks is looked up and checked here, so that carrying them out
// cannot fail for what the batch says, only for the server.
#pragma once

#include "store/mongo/generation.h"
#include "store/store.h"

namespace maeil::store::mongo {

struct Request {
  const Batch& batch;
  // (collection, partition), as erase_rows asks
  std::vector<std::pair<std::string, std::string>> erase_partitions = {};
};

struct BatchPlan {
  std::vector<Change> changes;           // in the order of the batch's parts; one for each document
  std::vector<Generation> unreferenced;  // whose rows nobody shows any more once the changes are there
};

// kBadInput for what the batch may not hold; looks at the server for nothing.
Status check_request(const Request& request);

// From what the server holds now. `id`: the batch's; `refused`: whose documents are none (batch_protocol.h).
// Errors as Store::commit has them.
Result<BatchPlan> plan_batch(Connection& connection, const Request& request, const std::string& id,
                             const std::vector<std::string>& refused);

// Whether people and tasks may use this name for a collection.
bool is_public_collection(std::string_view name);

}  // namespace maeil::store::mongo
