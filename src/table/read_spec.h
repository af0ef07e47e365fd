// [read] of a dataset spec (read_keys.h): how its files of rows are written, as far as somebody said. The
// rest is guessed where a file is opened (row_file.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/csv_dialect.h"

namespace maeil::table {

struct ReadSpec {
  std::string encoding;  // as iconv has it; "": guessed
  format::DialectAsked dialect;
  std::optional<char> decimal;       // '.' or ','
  std::optional<char> thousands;     // '\0' (said to be none), ',', '.', ' ' or '\''
  std::vector<std::string> missing;  // beside the words of is_missing (field_values.h)
};

}  // namespace maeil::table
