// The keys of a dataset spec's [read], checked.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "base/error.h"
#include "table/read_spec.h"

namespace maeil::table {

// Of the document's [read]; nothing said where it has none. kBadInput, naming file, line and key.
Result<ReadSpec> parse_read_spec(const toml::table& document, const std::string& file);

}  // namespace maeil::table
