// The name of a file that maeil writes may be that of a file of the user's own (DATA_PATH is a setting): it
// is replaced only when maeil wrote what is there.
//
// What maeil wrote is known by its sha256: from `.NAME.maeil` beside the file, which is written before the
// file gets its name (so that a process that is killed between that and its commit leaves nothing that the
// next one refuses), and from the documents that name such files, for files of earlier releases and for
// folders that lost it. A name, a date or a size proves nothing and is not asked.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/hash.h"
#include "store/store.h"

namespace maeil::loop {

// Asked only when the note beside the file does not know it. Called while the OwnFile lives.
using StoreToAsk = std::function<Result<std::reference_wrapper<store::Store>>()>;

// What is written under the name, for the question and for the sentence that refuses.
struct OwnFileKind {
  const char* collection;  // whose documents have the sha256 of such files
  const char* what;        // "the day's rows"
  const char* else_do;     // what to do beside moving the file away
};
inline constexpr OwnFileKind kRawDataFile{"raw_data", "the day's rows", "set DATA_PATH to another file"};
inline constexpr OwnFileKind kScoresFile{"predictions", "the day's scores", "set DATA_DIR to another folder"};

// An AtomicFile that replaces nothing but an absent file, an empty one, or one that maeil wrote. Not thread
// safe.
class OwnFile {
 public:
  // kUsage, with what to do, when the file at `path` is somebody else's. Reads that file whole.
  static Result<OwnFile> begin(const std::string& path, const OwnFileKind& kind, StoreToAsk store);

  // Whether maeil wrote what is at `path`. REQUIRES: something is there.
  static Result<bool> wrote(const std::string& path, const OwnFileKind& kind, const StoreToAsk& store);

  // Removes what maeil wrote there, with the note beside it; a file of somebody else's stays. No error when
  // there is none.
  static Status remove(const std::string& path, const OwnFileKind& kind, const StoreToAsk& store);

  Status write(std::string_view bytes);
  // Of all that was written. REQUIRES: nothing is written afterwards.
  const std::string& sha256();
  Result<MappedFile> map() const { return file_.map(); }
  // Asks again when the file at `path` is another one than at the beginning.
  Status commit();

 private:
  // Which file was there, as far as the system tells without reading it; nothing: none, or an empty one.
  using Seen = std::optional<struct ::stat>;
  static Seen look(const std::string& path);
  static Status check(const std::string& path, const OwnFileKind& kind, const StoreToAsk& store);
  OwnFile(AtomicFile file, const OwnFileKind& kind, StoreToAsk store, Seen seen)
      : file_(std::move(file)), kind_(kind), store_(std::move(store)), seen_(seen) {}
  AtomicFile file_;
  OwnFileKind kind_;
  StoreToAsk store_;
  Seen seen_;
  Sha256 hash_;
  std::string sha256_;  // "" until it is asked for
};

}  // namespace maeil::loop
