// Delimited text in any dialect as plain CSV: UTF-8, commas, double quotes where they are needed, line feeds,
// one line of names, each row as wide as they are. What is a row is delimited_rows.h's matter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/csv_dialect.h"

namespace maeil::format {

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

// Calls `sink` with pieces of CSV, some hundred kilobytes each. `any_width`: records that are too short are
// filled up, those that are too long are written as they are; else both are left out. The sink's errors.
Result<Conversion> to_plain_csv(std::string_view text, const CsvDialect& dialect, bool any_width,
                                const std::function<Status(std::string_view)>& sink);

}  // namespace maeil::format
