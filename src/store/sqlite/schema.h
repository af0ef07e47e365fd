// The tables of the embedded store, and who may open them.
//
// documents     one row per document; `seq` is the order of insertion, `hash` is XXH3 of `body`
// blobs, blob_pieces           bytes in pieces of 1 MiB; a blob is there once `length` and `sha256` are set
// generations, row_pieces      prepared rows: pieces of at most 4096 rows, each column's values on their own (columns.h)
// partitions    which generation is shown, and the fields that all its rows carry
// A generation or a blob that no partition or document names is garbage, never seen.
#pragma once

#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

constexpr int64_t kSchemaVersion = 1;
constexpr int64_t kApplicationId = 0x6d61656c;  // "mael"

// Makes the tables in an empty database; checks whose and how new another is before anything is written to it.
Status prepare_schema(Connection& connection, int busy_timeout_ms);

// The same checks, and nothing is written. kNotFound when the database is empty.
Status require_schema(Connection& connection);

}  // namespace maeil::store::sqlite
