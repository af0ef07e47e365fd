// Removing documents by their ids, many of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace maeil::loop {

// Of the documents that `filter` finds; rows of publishes and what another program gave no ObjectId are left
// out.
Result<std::vector<std::string>> ids_of(store::Store& store, std::string_view collection,
                                        const store::Document& filter);

// In commits of some hundred: killed in between, the rest is there.
Status erase_documents(store::Store& store, std::string_view collection, const std::vector<std::string>& ids);

}  // namespace maeil::loop
