// Prepared rows on their way to a server: written as documents while they come, under a generation that
// nobody reads before a batch publishes it (generation.h).
#pragma once

#include <memory>
#include <string_view>

#include "store/mongo/server.h"
#include "store/store.h"

namespace maeil::store::mongo {

Result<std::unique_ptr<RowWriter>> begin_rows(std::shared_ptr<Server> server, std::string_view collection,
                                              std::string_view partition, const Document& constants);

}  // namespace maeil::store::mongo
