// A day's file on its way in: which file a name with wildcards means, whether it still grows, and its bytes
// as they were at one moment. Parquet and Arrow files may be several, parts of one table.
//
// It lies where other programs write. That it did not grow between two looks is a good sign and no proof, so
// what is taken in is a copy: everything later, the sha256 too, is about the copied bytes, and a file that
// changed while it was copied is refused. Whoever wants more certainty writes under another name and renames.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "store/document.h"
#include "table/row_file.h"

namespace maeil::loop {

// The files that `pattern` means: the file of that very name, else what columnar::part_files finds (a folder;
// *, ?, [...] as in a shell), by name. kNotFound: none; kBadInput: several that are not all Parquet or Arrow,
// of which some are named.
Result<std::vector<std::string>> files_of(const std::string& pattern);

struct FileSeen {
  struct One {
    std::string path;
    struct ::stat info;
  };
  std::string path;  // of the one file, else the pattern
  std::vector<One> files;
  uint64_t bytes() const;
  const One* empty() const;  // the first without a byte; null: none
};
// What lies there now; nullopt: nothing. kBadInput: no file, or several that are no parts.
Result<std::optional<FileSeen>> look_at(const std::string& pattern);
// Whether nothing was written to them, nothing else got a name of theirs, and none came or went, between two
// looks.
bool is_same(const FileSeen& a, const FileSeen& b);

struct TakenBytes {
  AtomicFile copy;  // without a name, and gone with this; what is mapped of it stays
  std::string sha256;
};
// kNotFound; kUnavailable: the file changed meanwhile; kBadInput: it is no file. The copy is made beside
// `scratch`, and nobody else may read it.
Result<TakenBytes> take_bytes(const std::string& path, const std::string& scratch);

// All files of a pattern, each copied so. Where there are several, `sha256` is of a line "name sha256" for
// each, in their order; a name is the path below the folder that all lie in.
struct TakenFiles {
  struct One {
    std::string path, name;
    TakenBytes bytes;
    uint64_t size = 0;
  };
  std::string path;  // as FileSeen's
  std::vector<One> files;
  std::string sha256;

  Result<table::RowFile> open(const table::DatasetSpec* known) const;
  // The bytes of the files one after another.
  Status each_byte(const std::function<Status(std::string_view)>& sink) const;
  // [{"name", "sha256", "bytes"}]; null where there is one file.
  store::Document parts() const;
};
Result<TakenFiles> take_files(const std::string& pattern, const std::string& scratch);

// TakenFiles::sha256 of what lies there now.
Result<std::string> sha256_of(const std::string& pattern);

}  // namespace maeil::loop
