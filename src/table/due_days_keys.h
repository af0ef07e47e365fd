// The keys of a dataset spec's [calendar], checked.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "base/error.h"
#include "table/due_days.h"

namespace maeil::table {

// Of the document's [calendar]; every day where it has none. kBadInput, naming file, line and key.
Result<DueDays> parse_due_days(const toml::table& document, const std::string& file);

}  // namespace maeil::table
