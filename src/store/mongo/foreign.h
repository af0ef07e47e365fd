// What of a database other programs wrote and the Store's interface does not show, or not as it is. For
// copies, which say it.
#pragma once

#include <string>
#include <vector>

#include "store/mongo/connection.h"

namespace maeil::store::mongo {

// Whether anything is in the database but what maeil keeps for itself. Makes nothing.
Result<bool> holds_anything(Connection& connection);

// A phrase each: GridFS files whose _id is no ObjectId, collections whose names are not for documents,
// numbers that are read as null.
Result<std::vector<std::string>> list_foreign(Connection& connection);

}  // namespace maeil::store::mongo
