// Two CSV files side by side as the quality scores see them: continuous columns as numbers, discrete ones as codes.
//
// A column's kind comes from SDV's metadata ("columns": {name: {"sdtype": ...}}), else from its values in both files: numbers
// are numerical, ISO dates datetime, everything else categorical. Columns of other sdtypes (id, pii) are left out, as SDMetrics
// does. Missing is what pandas reads as missing. Codes are shared by both files. Memory: 8 bytes a cell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::quality {

inline constexpr uint32_t kMissingCode = UINT32_MAX;

enum class Kind { kContinuous, kDiscrete };

struct Side {
  std::vector<double> numbers;  // kContinuous: NaN where missing; dates as seconds since 1970
  std::vector<uint32_t> codes;  // kDiscrete: kMissingCode where missing
};

struct ColumnPair {
  std::string name;
  std::string sdtype;
  Kind kind = Kind::kDiscrete;
  Side real, synthetic;
  std::vector<std::string> categories;  // kDiscrete: the value of each code
};

struct Data {
  size_t real_rows = 0, synthetic_rows = 0;
  std::vector<ColumnPair> columns;  // in the metadata's order, else in the real file's
};

// `metadata`: the text of SDV's metadata JSON with one table, or "". kBadInput with the file and line or the column: a record
// of another width, a column that only one file has, a value that is not of the column's sdtype, a file without rows.
Result<Data> read_data(const std::string& real_path, const std::string& synthetic_path, std::string_view metadata);

}  // namespace maeil::quality
