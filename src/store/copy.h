// Everything of one store into another, and the proof that it arrived: blobs with their ids, documents, published rows.
//
// May be repeated after an interruption: what is there already is written over by the same. The source must not change meanwhile:
// the caller holds its lock.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/store.h"

namespace maeil::store {

struct CopiedCollection {
  std::string name;
  int64_t documents = 0, rows = 0;
  std::string digest;     // of all documents and rows, whatever their order: 32 hex digits
};

struct CopyReport {
  std::vector<CopiedCollection> collections;
  int64_t blobs = 0, blob_bytes = 0;
};

// done and total count documents, rows and, for blobs, MiB; total is 0 while it is not known.
using CopyProgress = std::function<void(std::string_view what, uint64_t done, uint64_t total)>;

// What a store holds, with digests.
Result<CopyReport> survey(Store& store, const CopyProgress& progress);

// kBadInput: the source has a document that no store of ours takes (its _id is no ObjectId, a type that documents do not have), or
// what arrived is not what was sent; the message names the collection. kConflict: a blob of that id is there with other bytes.
Result<CopyReport> copy_store(Store& from, Store& to, const CopyProgress& progress);

}  // namespace maeil::store
