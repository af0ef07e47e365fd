// Which split each row of a chunk is in, by the roles of its dataset.
//
// A row with a group is where its group is, on every day and in every file: by a hash of the group's text.
// Else where its id is; a row with neither, by the date and its number (split.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "prep/split.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

// REQUIRES: the spec's columns, and a number for each row. Thread safe.
std::vector<Split> splits_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers);

}  // namespace maeil::prep
