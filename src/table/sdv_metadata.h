// SDV's metadata JSON, the one part of a synthesizer that SDV exchanges as JSON: column types in and out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "table/dataset_spec.h"

namespace maeil::table {

// SINGLE_TABLE_V1, or V1 with one table. numerical: a number; datetime: a date of its datetime_format (of
// read_date's forms where there is none), but text where the format has no year or a directive that
// DateFormat does not know; everything else: text, of which id and the sdtypes of people's data (email, name
// ..., and "pii": true) are identifiers. There is no target; every column may be missing. Names of keys and
// relationships are left aside. kBadInput, naming the file: another version, several tables, a column
// without sdtype.
Result<DatasetSpec> parse_sdv_metadata(std::string_view json, const std::string& file_name);
Result<DatasetSpec> read_sdv_metadata(const std::filesystem::path& path);

// As SDV's Metadata.save_to_json (V1), the table named after the dataset; text becomes categorical, a date's
// format its datetime_format, an identifier id.
std::string to_sdv_metadata(const DatasetSpec& spec);

}  // namespace maeil::table
