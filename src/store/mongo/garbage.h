// What nobody needs, and whether what is needed is whole.
#pragma once

#include "store/mongo/generation.h"

namespace maeil::store::mongo {

// See Store::collect_garbage. Files of other programs in the bucket (those without our sha256) are left
// alone.
Result<int64_t> drop_garbage(Connection& connection, Instant before);

// Reads every document, every published row and every blob.
Status check_everything(Connection& connection);

}  // namespace maeil::store::mongo
