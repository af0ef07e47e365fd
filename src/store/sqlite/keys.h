// The table `document_keys`: one key for each document and index, so that SQLite's order of bytes is the
// order of order.h.
//
//   key = the fields' values, then the 12 bytes of the document's _id (ties in a sort are by _id)
//   value = 1 byte: 1 + its rank in order.h, then
//     number: the nearest double, 8 bytes, big endian, its sign bit flipped, a negative one wholly inverted;
//     then 2 bytes: what a
//             whole number is more than that double (+ 32768), so that int64 and double compare by value
//     text:   its bytes, 00 as 00 FF, ended by 00 00      id: 12 bytes      boolean: 1 byte
//     date:   milliseconds, 8 bytes, big endian, sign bit flipped            null and missing: nothing
//   A document with an array or an object in one of the fields has the key FF and its _id alone: every use of
//   the index looks at it.
// A key only says which documents to look at: the filter has the last word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/filter.h"
#include "store/indexes.h"
#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

std::string index_key(const Index& index, const Document& document, std::string_view id);

// The keys from (inclusive) to (exclusive) of one index: with the documents of key FF, all that a find needs
// to look at.
struct KeyRange {
  int index = 0;
  std::string from, to;
  bool in_order = false;  // by key is the find's own order, without the documents of key FF
  bool descending = false;
};

// The best index for a find; nothing when it must look at every document. A find with a sort and a limit may
// look at few documents in its order, or at all of a narrow range: few are counted, many are not.
Result<std::optional<KeyRange>> choose_range(Connection& connection, std::string_view collection,
                                             const Filter& filter, const FindOptions& options);

// After document `id`, with this seq, has changed: its body before and now, each "" when there was or is
// none. Inside a write transaction. A body that is damaged has the key FF.
Status update_keys(Connection& connection, std::string_view collection, std::string_view id, int64_t seq,
                   std::string_view before, std::string_view now);

// kBadInput unless each document has its keys and there are no others.
Status check_keys(Connection& connection);

}  // namespace maeil::store::sqlite
