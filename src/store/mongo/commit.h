// A batch, all or nothing (docs/decisions/0002-mongodb-commit.md).
//
// With transactions: one transaction holds the rows, the documents, the switch of generations and the fence. Without: rows first,
// under a generation that nobody reads; then the batch as a journal; then one findAndModify that makes it count, if the fence
// holds; then the writes, by us or by whoever comes after us.
#pragma once

#include "store/mongo/plan.h"

namespace maeil::store::mongo {

// Errors as Store::commit has them; kConflict when this Store lost one of its locks.
Status commit_request(Server& server, Shelf& shelf, const Request& request);

}  // namespace maeil::store::mongo
