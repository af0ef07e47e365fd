// The raw values of features, as fitting and transforming both see them: one place for the dataset's rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "prep/preparation.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

inline constexpr std::string_view kMissingText = "NA";
inline constexpr std::string_view kNull = "Null", kNotNull = "Notnull";

// A text as a category, by its column's rules (first characters, lower case); kMissingText passes through them too.
std::string category_text(const table::SpecColumn& spec, std::string_view text);

// The feature's value in each row; NaN where missing. `feature` is a number column or a day count. `chunk` has the spec's
// columns in the spec's order (read_csv).
void numeric_values(const table::DatasetSpec& spec, const Table& chunk, const std::string& feature, std::vector<double>& out);

// Position of a column in the spec (and so in a chunk). REQUIRES: it exists.
size_t column_index(const table::DatasetSpec& spec, std::string_view name);

}  // namespace maeil::prep
