// What a batch does, as one change for each document: what it was, what it becomes, and which batch it was
// that wrote what it was.
//
// Every document that maeil writes names its batch in the field `maeil_batch`, and a change is carried out
// only while the document still names the batch that the plan saw. So a change may be carried out twice, by
// anybody, and at any time later: once it has happened, or another batch has written the document, it misses.
// (Readers of the Store do not see the field: bson.h.)
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/mongo/bson.h"

namespace maeil::store::mongo {

struct Change {
  std::string collection;
  std::string id;  // 24 hex digits
  // the batch that `before` names; "" when it names none, or when there is no such document
  std::string seen;
  // as it was, but named after a batch of its own, so that taking back is a change as well; empty: no
  // document
  Bson before;
  Bson after;  // named after the batch; empty: the document goes
  // where nothing was before: batches that were taken back, and whose late writes may be there
  std::vector<std::string> refused{};
  bool exists_before() const { return !bson_empty(before.get()); }
  bool exists_after() const { return !bson_empty(after.get()); }
};

// One command to a server about one document.
struct Write {
  enum class Kind { kInsert, kUpsert, kReplace, kRemove };
  Kind kind = Kind::kInsert;
  std::string_view collection, id;
  const Bson* document = nullptr;  // but for kRemove
  Bson selector;                   // but for kInsert: the id, and the batches that the document may name
};

// Views into the change, which must outlive them.
Write forward(const Change& change);  // REQUIRES: it exists before or after
// in this order; `batch`: whose change it is
std::vector<Write> backward(const Change& change, const std::string& batch);

// The batch that a document names; "" when none.
std::string batch_of(const bson_t& document);

// The same bytes, whoever reads them.
std::string encode_changes(std::span<const Change> changes);
Result<std::vector<Change>> decode_changes(std::string_view bytes);  // kBadInput: these are none

}  // namespace maeil::store::mongo
