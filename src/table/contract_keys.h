// [contract] out of a dataset spec's TOML, with errors that name file, line and key.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "base/error.h"
#include "table/dataset_spec.h"

namespace maeil::table {

// REQUIRES: the spec's columns, target and roles. kBadInput: unknown columns and keys, rules that do not suit
// a column's type, that nothing can keep, or that contradict each other, and a [contract] that checks
// nothing.
Result<Contract> parse_contract(const toml::table& document, const std::string& file,
                                const DatasetSpec& spec);

}  // namespace maeil::table
