// Documents and rows on their way out. Plain documents come in the server's natural order, which is that of
// insertion, or in that of the index which answers the filter; rows partition by partition in the order of
// writing. Filters, sorts and limits are the server's work where they mean the same there, and filters ours
// in any case.
#pragma once

#include <functional>

#include "store/filter.h"
#include "store/mongo/generation.h"
#include "store/selection.h"

namespace maeil::store::mongo {

// `in_order` is set beforehand when the server sorts. kConflict when the rows were replaced while they were
// read.
Status visit_documents(Connection& connection, std::string_view collection, const FindOptions& options,
                       const Filter& filter, const Take& take, bool& in_order);

Status visit_row_chunks(Connection& connection, std::string_view collection, std::string_view partition,
                        const std::vector<std::string>& columns,
                        const std::function<Status(const RowChunk&)>& visit, RowSpan span = {});

// The raw plain documents of a collection, without rows: for garbage collection and checks.
Status visit_raw(Connection& connection, std::string_view collection,
                 const std::function<Result<bool>(const bson_t&)>& visit);

}  // namespace maeil::store::mongo
