// Bytes of any size in pieces of 1 MiB; there once they are complete, checked by length and SHA-256 when
// read.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

Result<std::unique_ptr<BlobWriter>> begin_blob(std::shared_ptr<Database> database, std::string_view filename,
                                               const Document& metadata,
                                               std::string_view id,  // empty: a new one
                                               Instant uploaded);    // the epoch: now
Result<std::vector<BlobInfo>> all_blobs(Connection& connection);

Status visit_blob(Connection& connection, std::string_view id,
                  const std::function<Status(std::string_view)>& sink);
Result<BlobInfo> find_blob(Connection& connection, std::string_view id);

// kNotFound when there is none. It disappears at once, its bytes in transactions of a bounded size.
Status drop_blob(Database& database, std::string_view id);

// Removes what nothing names and is older (blobs that were never finished: not written to since), in
// transactions of a bounded size; returns how many blobs and generations. What a transaction has condemned
// (uploaded or created is 0) is never seen or finished.
Result<int64_t> drop_garbage(Database& database, Instant before);

// The rows that no partition shows since another generation replaced them, or their partition was erased: in
// short transactions.
Status drop_condemned_rows(Database& database);

// Reads every blob.
Status check_blobs(Connection& connection);

}  // namespace maeil::store::sqlite
