// Which files a path means: one, or the parts of a folder, or those that a pattern fits; and what the names
// of their folders say (book/date=2026-11-28/part-0.parquet).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace maeil::columnar {

// A file of that very name is itself, whatever it is. A folder is its *.parquet, *.pq, *.arrow, *.arrows,
// *.feather and *.ipc, those of its folders named key=value too; names that begin with "_" or "." are left
// out. Else *, ? and [...] as in a shell, for folders as well. Sorted by path; at least one. kNotFound: none
// (yet); kBadInput: a folder that is named as a file of text and has none; one with other files or folders in
// it, which would be left out in silence.
Result<std::vector<std::string>> part_files(const std::string& path);

struct PartKey {
  std::string name;
  std::optional<std::string> value;  // none: __HIVE_DEFAULT_PARTITION__
};
// Of the folders named key=value in the path, %20 and the like read as they are meant.
std::vector<PartKey> part_keys(const std::string& path);

// Whether the bytes begin as Parquet, Arrow IPC with a footer, or as a stream (with its continuation marker).
bool is_columnar(std::string_view bytes);

}  // namespace maeil::columnar
