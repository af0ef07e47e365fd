// From schema 1 to 2: rows get ids of which one range holds them all (generation.h); the batch on its way is
// in maeil_heads and no more in the control document.
#pragma once

#include "store/mongo/connection.h"

namespace maeil::store::mongo {

// In place, and again from where it was after any interruption, by any number of processes. Nothing for a
// database that is of this schema. The server must have no process of an older maeil at work: one that comes
// or goes on is refused where it can be (it finds a field that it cannot read, and its locks lost).
// kBadInput: an older maeil left a batch half written, which only that version can finish; or a newer one
// wrote the database.
Status migrate(Connection& connection);

// For who only reads. kBadInput, with what to do, when the database is not of this schema.
Status require_schema(Connection& connection);

}  // namespace maeil::store::mongo
