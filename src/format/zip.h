// Zip archives in memory, over libzip: of checkpoints, and of model files of our own.
#pragma once

#include <zip.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace maeil::format {

// Reads entries of a zip in memory. Refuses archives that declare far more than their file could honestly
// hold.
class ZipReader {
 public:
  // `bytes` must outlive the reader.
  static Result<ZipReader> open(std::string_view bytes, const std::string& name);

  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& entry) const;
  // Uncompressed bytes of all entries, as declared.
  uint64_t declared() const { return declared_; }
  // The entry's declared size. kBadInput: it is missing.
  Result<uint64_t> size(const std::string& entry) const;
  // The whole entry, its checksum verified. kBadInput: missing, damaged, or of another size than declared.
  Result<std::string> read(const std::string& entry) const;

 private:
  struct Close {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };
  ZipReader(zip_t* archive, std::string name) : archive_(archive), name_(std::move(name)) {}
  std::unique_ptr<zip_t, Close> archive_;
  std::string name_;
  std::vector<std::string> names_;
  uint64_t declared_ = 0;
};

// A zip of stored entries in the given order, without dates: equal entries give equal bytes.
Result<std::string> write_stored_zip(const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace maeil::format
