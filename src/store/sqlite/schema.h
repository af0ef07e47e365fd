// The tables of the embedded store, and who may open them.
//
// documents     one row per document; `seq` is the order of insertion, `hash` is XXH3 of `body`
// blobs, blob_pieces           bytes in pieces of 1 MiB; a blob is there once `length` and `sha256` are set
// generations, row_pieces      prepared rows: pieces of at most 4096 rows, each column's values on their own
// (columns.h) partitions    which generation is shown, and the fields that all its rows carry document_keys
// the indexes of ../indexes.h (keys.h); since version 2 A generation or a blob that no partition or document
// names is garbage, never seen.
//
// Version 1 becomes version 2 in place, in transactions of a bounded size each: the table of keys, with the
// progress in a table `migration`, then the keys of documents in order of `seq`, then the number. Whoever is
// killed in between is followed by the next one; two at a time share the work. Until then the store is of
// version 1 for readers. Triggers refuse the writes of a process of version 1 that had the store open before
// (our connections run no triggers); later versions are told by user_version in each write.
#pragma once

#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

constexpr int64_t kSchemaVersion = 2;
constexpr int64_t kApplicationId = 0x6d61656c;  // "mael"

// Makes the tables in an empty database, or brings them to this version; checks whose and how new they are
// before anything is written.
Status prepare_schema(Connection& connection, const SqliteOptions& options);

// The same checks, and nothing is written. kNotFound when the database is empty. The version, which may be an
// older one.
Result<int64_t> require_schema(Connection& connection);

// kConflict when a newer maeil has changed the tables since the store was opened. Inside a write transaction.
Status check_version(Connection& connection);

}  // namespace maeil::store::sqlite
