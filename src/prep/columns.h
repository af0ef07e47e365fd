// The raw values of features, as fitting and transforming both see them: one place for the dataset's rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "prep/preparation.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

inline constexpr std::string_view kMissingText = "NA";
inline constexpr std::string_view kNull = "Null", kNotNull = "Notnull";

// The day of a date column's text; nullopt when it is no date (the CSV reader counts those,
// table/csv_table.h), or one outside 1677-09-22 .. 2262-04-11, the range of pandas' timestamps: the Python
// stack, and so the models made with it, sees 31DEC9999 ("no date known") as missing.
std::optional<Days> readable_date(const table::SpecColumn& column, std::string_view text);

// A text as a category, by its column's rules (first characters, ASCII lower case); kMissingText passes
// through them too.
std::string category_text(const table::SpecColumn& spec, std::string_view text);

// The feature's value in each row; NaN where missing. `feature` is a number column or a day count. `chunk`
// has the spec's columns in the spec's order (read_csv).
void numeric_values(const table::DatasetSpec& spec, const Table& chunk, const std::string& feature,
                    std::vector<double>& out);

// Position of a column in the spec (and so in a chunk). REQUIRES: it exists.
size_t column_index(const table::DatasetSpec& spec, std::string_view name);

}  // namespace maeil::prep
