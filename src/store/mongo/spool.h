// Prepared rows on their way to a server, as ready BSON members (without _id and the partition's constants, which only the
// publishing batch knows). Kept in this process until a batch publishes them, in memory up to 64 MiB and in an unnamed
// temporary file beyond: so rows that no batch ever publishes never reach the server, and nobody there sees them.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/huge_pages.h"
#include "store/mongo/bson.h"
#include "store/store.h"

namespace maeil::store::mongo {

class Spool {
 public:
  Spool(std::string label, const Codec& codec) : label_(std::move(label)), codec_(codec) {}

  // kInternal: another shape than the first chunk's; kBadInput: names or text that no document may have; kIo: disk full.
  Status append(const RowChunk& chunk);

  const RowChunk& columns() const { return columns_; }  // names and kinds, no values
  int64_t rows() const { return rows_; }
  bool in_memory() const { return !file_; }             // at most 64 MiB
  int64_t nulled() const { return nulled_; }            // cells that were NaN or infinite

  // Each row's members in the order of writing. May be called again.
  Status for_each(const std::function<Status(std::string_view)>& visit);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  // A row whose layout is the usual one: finite numbers, whole numbers of 32 bits, no text. False: it is none.
  bool encode_usual_row(const RowChunk& chunk, size_t row);
  Status encode_row(const RowChunk& chunk, size_t row);
  HugeBytes& block_for(size_t bytes);
  Status spill();

  std::string label_;
  Codec codec_;
  RowChunk columns_;
  std::vector<std::string> heads_;  // a type byte's place, the name, a zero byte
  std::string usual_;               // a usual row with its length, all values zero
  std::vector<size_t> places_;      // where in it the columns' values are
  std::vector<HugeBytes> blocks_;   // length (4 bytes) and members, again and again; a row is in one block
  std::string row_;                 // the row being written
  size_t in_blocks_ = 0;            // bytes
  std::unique_ptr<std::FILE, CloseFile> file_;  // what came before the blocks
  int64_t rows_ = 0, nulled_ = 0;
};

}  // namespace maeil::store::mongo
