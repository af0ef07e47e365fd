// The end of every find: sort, skip, limit and projection over documents that a store brings.
#pragma once

#include <functional>

#include "store/filter.h"
#include "store/store.h"

namespace maeil::store {

using Take = std::function<bool(Document&&)>;  // false: no more is wanted

// Runs `source` with a Take for each match, then hands out what is wanted. A source that brings the matches
// in the order of the sort sets `in_order` before the first. In memory: nothing without a sort or in order,
// about twice skip + limit with both, else all matches. kUsage for a negative skip or limit.
using Source = std::function<Status(const Take& take, bool& in_order)>;
Status select(const FindOptions& options, const Take& visit, const Source& source);

// The top-level fields that a find looks at; empty means all of them.
std::vector<std::string> fields_needed(const FindOptions& options, const Filter& filter);

}  // namespace maeil::store
