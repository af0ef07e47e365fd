// A day's file on its way in: which file a name with wildcards means, whether it still grows, and its bytes
// as they were at one moment.
//
// It lies where other programs write. That it did not grow between two looks is a good sign and no proof, so
// what is taken in is a copy: everything later, the sha256 too, is about the copied bytes, and a file that
// changed while it was copied is refused. Whoever wants more certainty writes under another name and renames.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace maeil::loop {

// The one file that `pattern` means: the file of that very name, else the only one that it fits (*, ?, [...]
// as in a shell). kNotFound: none; kBadInput: several, which are named.
Result<std::string> one_file(const std::string& pattern);

struct FileSeen {
  std::string path;
  struct ::stat info;
};
// What lies there now; nullopt: nothing. kBadInput: no file, or several.
Result<std::optional<FileSeen>> look_at(const std::string& pattern);
// Whether nothing was written to it, and nothing else got its name, between two looks.
bool is_same(const FileSeen& a, const FileSeen& b);

struct TakenBytes {
  AtomicFile copy;  // without a name, and gone with this; what is mapped of it stays
  std::string sha256;
};
// kNotFound; kUnavailable: the file changed meanwhile; kBadInput: it is no file. The copy is made beside
// `scratch`, and nobody else may read it.
Result<TakenBytes> take_bytes(const std::string& path, const std::string& scratch);

}  // namespace maeil::loop
