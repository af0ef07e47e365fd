// pandas frames, series and indexes inside a read pickle, as plain columns.
//
// Reads what pandas 1, 2 and 3 write: blocks of numbers, bools, dates and objects, and categoricals. Other
// extension arrays are refused by name. Sizes of blocks, placements and axes are held against each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/numpy.h"

namespace maeil::format {

// One of the two vectors holds the rows.
struct PandasColumn {
  std::string name;
  std::string dtype;  // numpy's name, or "category"
  // floats, integers, bools, dates in their unit; NaN where missing
  std::vector<double> numbers;
  std::vector<std::optional<PickleValue>> objects;  // "object", "category"; empty where a category is missing
};

struct PandasFrame {
  size_t rows = 0;
  std::vector<std::string> index;     // the rows' labels as text; empty for a RangeIndex
  std::vector<PandasColumn> columns;  // in the frame's order

  const PandasColumn* find(std::string_view name) const;
};

// A column's dtype as pandas calls it: numpy's name ("int64", "datetime64[ns]"), or "Int64", "boolean",
// "string", "category", "datetime64[ns, UTC]", "datetime64[ns, tz]" (any other zone). kBadInput: no dtype.
[[nodiscard]] Result<std::string> read_pandas_dtype(PickleValue value);

// Whether a time zone is UTC itself, as datetime, dateutil and pytz pickle it.
[[nodiscard]] bool is_utc(PickleValue zone);

[[nodiscard]] Result<PandasFrame> read_frame(PickleValue value);
// A frame of one column; its name is empty where the series has none.
[[nodiscard]] Result<PandasFrame> read_series(PickleValue value);
// Labels as text (numbers as Python writes whole ones). kBadInput: a MultiIndex; a RangeIndex of over a
// million.
[[nodiscard]] Result<std::vector<std::string>> read_index(PickleValue value);

}  // namespace maeil::format
