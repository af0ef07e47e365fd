// A file of rows that a command writes: plain CSV, or, by its name's ending, Parquet or Arrow IPC
// (columnar/file_writer.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "columnar/file_writer.h"

namespace maeil::table {

// Takes plain CSV. What becomes Parquet or Arrow goes through a file beside it that never has a name, so that
// the types of its columns can be found in its rows; the same rows make the same bytes.
class RowOutput {
 public:
  // `columns`: what they are, in the order of the CSV's; none: found as infer_columns does, where a number
  // keeps its text's value, days written as 2024-05-31 are dates, and all else is text. As
  // AtomicFile::create, and kNotFound: no plug-in.
  static Result<RowOutput> create(const std::filesystem::path& path,
                                  std::vector<columnar::OutColumn> columns = {});
  Status write(std::string_view csv) { return file_.write(csv); }
  // The errors of AtomicFile; kBadInput: a value that is none of its column's type.
  Status commit();

 private:
  RowOutput(AtomicFile file, std::filesystem::path path, std::optional<columnar::ArrowFileKind> kind,
            std::vector<columnar::OutColumn> columns)
      : file_(std::move(file)), path_(std::move(path)), kind_(kind), columns_(std::move(columns)) {}
  AtomicFile file_;  // where `kind_`: of CSV, and never committed
  std::filesystem::path path_;
  std::optional<columnar::ArrowFileKind> kind_;
  std::vector<columnar::OutColumn> columns_;
};

}  // namespace maeil::table
