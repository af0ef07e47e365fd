// A dataset spec as TOML that people edit: one line a column, each with a comment where there is something to
// say. What parse_dataset_spec reads again.
#pragma once

#include <string>
#include <vector>

#include "table/dataset_spec.h"

namespace maeil::table {

// A text as a TOML string, on one line whatever it holds. REQUIRES: UTF-8.
std::string toml_text(std::string_view text);

// The columns' name, type, format, thousands, nullable and drop; day counts, target, roles and contract. What
// else a spec can say is not written. `head`: a comment above all. `comments`: (C), "" for none.
std::string dataset_spec_text(const DatasetSpec& spec, const std::string& head,
                              const std::vector<std::string>& comments);

}  // namespace maeil::table
