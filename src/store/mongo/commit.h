// A batch, all or nothing: with transactions one transaction holds the documents, the switch of generations
// and the fence; without, the protocol of batch_protocol.h. The rows of replaced generations go afterwards.
#pragma once

#include "store/mongo/batch_plan.h"

namespace maeil::store::mongo {

// Errors as Store::commit has them; kConflict when this Store lost one of its locks.
Status commit_request(Server& server, const Request& request);

}  // namespace maeil::store::mongo
