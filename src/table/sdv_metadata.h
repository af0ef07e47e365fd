// SDV's metadata JSON, the one part of a synthesizer that SDV exchanges as JSON: read once, here, for the fit
// (as a dataset spec) and for the quality report (as it stands), and written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/dataset_spec.h"

namespace maeil::table {

struct MetadataColumn {
  std::string name;
  std::string sdtype;
  std::optional<DateFormat> datetime_format;
  std::optional<std::string> regex_format;
  std::optional<double> range_min, range_max;  // a datetime's as seconds since 1970
  std::optional<bool> range_is_nullable;
  std::optional<std::vector<std::string>> range_values;  // as pandas writes the column's values
  bool pii = false;
};

struct SdvMetadata {
  std::optional<std::string> table;  // its name, where it stands under "tables"
  std::vector<MetadataColumn> columns;
  std::vector<std::string> primary_key;     // several columns: one key together
  std::vector<std::string> alternate_keys;  // each a key
  std::string sequence_index;

  bool is_key(const std::string& column) const;  // alone
};

// {"columns": {name: {"sdtype": ...}}} of any version, or one such table under "tables"; relationships are
// left aside. `name` stands before the message of an error. kBadInput: no JSON, several tables, no
// "columns", a column without sdtype or with a field of the wrong type or a datetime_format that DateFormat
// does not know.
Result<SdvMetadata> parse_sdv_metadata(std::string_view json, const std::string& name);

// What rows are read by. numerical: a number; datetime: a date of its datetime_format (of read_date's forms
// where there is none), but text where the format has no year; everything else: text, of which id and the
// sdtypes of people's data (email, name ..., and "pii": true) are identifiers. There is no target; every
// column may be missing. Errors as above, and kBadInput for a version that is neither SINGLE_TABLE_V1 nor V1
// and for a table without columns.
Result<DatasetSpec> parse_sdv_spec(std::string_view json, const std::string& file_name);
Result<DatasetSpec> read_sdv_spec(const std::filesystem::path& path);

// As SDV's Metadata.save_to_json (V1), the table named after the dataset; text becomes categorical, a date's
// format its datetime_format, an identifier id.
std::string to_sdv_metadata(const DatasetSpec& spec);

}  // namespace maeil::table
