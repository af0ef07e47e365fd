// Delimited text in any dialect as plain CSV: UTF-8, commas, double quotes where they are needed, line feeds,
// one line of names, each row as wide as they are.
//
// What stands behind the last row and is_note() (csv_dialect.h), up to kMostNotes records, is no row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/csv_dialect.h"

namespace maeil::format {

inline constexpr size_t kMostNotes = 20;

struct RecordNote {
  uint64_t line = 0;  // in the file, from 1
  std::string what;
};

struct Conversion {
  uint64_t rows = 0;                 // written
  uint64_t left_out = 0;             // records of another width, with a NUL byte, or too long
  uint64_t padded = 0;               // records that were too short
  uint64_t longer = 0;               // records that were too long, and still are
  uint64_t stray = 0;                // records with a quote that was taken for text (csv_records.h)
  uint64_t notes = 0;                // records behind the last row that are none
  std::vector<RecordNote> examples;  // the first 20 of them
  std::vector<std::string> names;
};

// The names that a file's header gives its columns. Several records are joined with a blank, the same again
// left aside; a gap in the upper ones takes the name to its left; empty ones beyond the rows' fields are cut;
// one name too few, as R writes it, stands over the columns behind the first where `first_is_index`; no
// header: col_0, col_1 ... At least `fields`.
std::vector<std::string> column_names(const std::vector<std::vector<std::string>>& header, size_t fields,
                                      bool first_is_index = false);

// Calls `sink` with pieces of CSV, some hundred kilobytes each. `any_width`: records that are too short are
// filled up, those that are too long are written as they are; else both are left out. The sink's errors.
Result<Conversion> to_plain_csv(std::string_view text, const CsvDialect& dialect, bool any_width,
                                const std::function<Status(std::string_view)>& sink);

}  // namespace maeil::format
