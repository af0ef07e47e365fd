// Prepared rows: written piece by piece under a generation, shown once a batch publishes it, read by column
// or as documents.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "store/filter.h"
#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

Result<std::unique_ptr<RowWriter>> begin_rows(std::shared_ptr<Database> database, std::string_view collection,
                                              std::string_view partition, const Document& constants);

// Inside a write transaction. Both only condemn the rows that were there: drop_condemned_rows removes them
// (blobs.h).
Status publish_rows(Connection& connection, const Batch::Publish& publish);
Status erase_partition(Connection& connection, std::string_view collection, std::string_view partition);

// The constants of a published partition; kNotFound when there is none.
Result<Document> constants_of(Connection& connection, std::string_view collection,
                              std::string_view partition);

Status visit_row_chunks(Connection& connection, std::string_view collection, std::string_view partition,
                        const std::vector<std::string>& columns,
                        const std::function<Status(const RowChunk&)>& visit, RowSpan span);

// Every row of every partition as a document: `_id`, the constants, the columns. `fields` are the only
// top-level ones that the caller looks at (empty: all), the others are left out unread. `stopped` is set when
// visit said so.
Status visit_row_documents(Connection& connection, std::string_view collection, const Filter& filter,
                           const std::vector<std::string>& fields,
                           const std::function<bool(Document&&)>& visit, bool& stopped);

// Reads every piece of every published generation.
Status check_rows(Connection& connection);

}  // namespace maeil::store::sqlite
