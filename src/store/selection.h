// The end of every find: sort, skip, limit and projection over documents that a store brings in order of insertion.
#pragma once

#include <functional>

#include "store/filter.h"
#include "store/store.h"

namespace maeil::store {

using Take = std::function<bool(Document&&)>;  // false: no more is wanted

// Runs `source` with a Take for each match, then hands out what is wanted. In memory: nothing without a sort, about twice
// skip + limit with both, else all matches. kUsage for a negative skip or limit.
Status select(const FindOptions& options, const Take& visit, const std::function<Status(const Take&)>& source);

// The top-level fields that a find looks at; empty means all of them.
std::vector<std::string> fields_needed(const FindOptions& options, const Filter& filter);

}  // namespace maeil::store
