// The header of a CSV file, checked before anything is read by it: a file that is no comma-separated one is
// refused in a sentence that says what it seems to be. maeil reads commas, UTF-8 with or without BOM, lines
// that end with LF or CRLF.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/csv.h"

namespace maeil::table {

inline constexpr size_t kMaxCsvColumns = 4096;  // of a file, those that a spec does not know included

// Takes the header off the reader, which stands at the start of `bytes`, and gives its names. kBadInput, with
// file and line: no header, UTF-16, lines that end with CR alone, other separators than commas (Excel's
// "sep=" line too), a NUL byte, a name twice, more than kMaxCsvColumns columns.
Result<std::vector<std::string>> read_csv_header(format::CsvReader& reader, std::string_view bytes,
                                                 const std::string& file_name);

}  // namespace maeil::table
