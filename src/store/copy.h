// Everything of one store into another, and the proof that it arrived: blobs with their ids, documents,
// published rows.
//
//   Contents source = survey(from); check_target(from, source, to);   // reads only
//   copy_store(from, source, to);                                     // checks again, writes, compares
//
// A target is empty or holds nothing but equal parts of the source: what an interrupted copy of the same has
// left. Anything else is refused before the first write, since a store that went on since would be turned
// back. Neither store may change meanwhile: the caller of copy_store holds both locks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "store/store.h"

namespace maeil::store {

struct CollectionContents {
  int64_t documents = 0, rows = 0;
  std::map<std::string, std::string> partitions;  // name -> digest of its rows and constants
  // of all documents and rows, whatever their order: 32 hex digits
  std::string digest;
};

struct Contents {
  std::map<std::string, CollectionContents> collections;
  // id -> digest of name, length, metadata and bytes; not of the date
  std::map<std::string, std::string> blobs;
  int64_t blob_bytes = 0;
  std::vector<std::string> skipped;  // Store::foreign()
  bool empty() const { return collections.empty() && blobs.empty(); }
};

// done and total count documents, rows and, for blobs, MiB; total is 0 while it is not known.
using CopyProgress = std::function<void(std::string_view what, uint64_t done, uint64_t total)>;

// kBadInput when a document can go into no store of ours: its _id is no ObjectId, it holds a type that
// documents do not have. The message names collection and document.
Result<Contents> survey(Store& store, const CopyProgress& progress);

// What of the source is in the target already.
struct Present {
  std::map<std::string, int64_t> documents;  // by collection
  std::map<std::string, std::string> blobs;
  int64_t partitions = 0;
  bool empty() const { return documents.empty() && blobs.empty() && partitions == 0; }
};

// kBadInput, naming the first difference, when the target holds what the source does not. Needs memory for
// the target's documents: 40 bytes each.
Result<Present> check_target(Store& from, const Contents& source, Store& to, const CopyProgress& progress);

// kBadInput as check_target, or when what arrived is not what was sent.
Status copy_store(Store& from, const Contents& source, Store& to, const CopyProgress& progress);

}  // namespace maeil::store
