// The names of a CSV file's columns, checked before anything is read by them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/csv.h"

namespace maeil::table {

inline constexpr size_t kMaxCsvColumns = 4096;  // of a file, those that a spec does not know included

// Takes the header off the reader and gives its names. kBadInput, with file and line: no header, a NUL byte,
// what check_names refuses.
Result<std::vector<std::string>> read_csv_header(format::CsvReader& reader, const std::string& file_name);

// kBadInput, with the place: a name twice, more than kMaxCsvColumns columns.
Status check_names(const std::vector<std::string_view>& names, const std::string& place);

}  // namespace maeil::table
