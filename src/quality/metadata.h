// SDV's metadata of one table: what the reports need of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/dates.h"

namespace maeil::quality {

struct ColumnMeta {
  std::string name;
  std::string sdtype;  // "": to be inferred
  std::optional<table::DateFormat> datetime_format;
  std::optional<std::string> regex_format;
  std::optional<double> range_min, range_max;  // a datetime's as seconds since 1970
  std::optional<bool> range_is_nullable;
  std::optional<std::vector<std::string>> range_values;  // as the categories of ColumnPair
};

struct Metadata {
  std::vector<ColumnMeta> columns;
  std::vector<std::string> primary_key;     // several columns: one key together
  std::vector<std::string> alternate_keys;  // each a key
  std::string sequence_index;

  bool is_key(const std::string& column) const;  // alone
};

// `text` in SDV's JSON, {"columns": {name: {"sdtype": ...}}} or one table under "tables". kBadInput, naming
// what it lacks or the column.
Result<Metadata> parse_metadata(std::string_view text);

}  // namespace maeil::quality
