// Which split each row of a chunk is in, by the roles of its dataset.
//
// A row with a group is where its group is, on every day, in every file and under every SEED: by a hash of
// the group's text. Else where its id is; a row with neither, by the seed, the date and its number (split.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "prep/split.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

// Of each row's group, else of its ids; nullopt where it has neither.
std::vector<std::optional<uint64_t>> key_hashes(const table::DatasetSpec& spec, const Table& chunk);
// Of each row's ids; nullopt where one of them is missing. REQUIRES: the spec has ids, and the chunk all of
// them.
std::vector<std::optional<uint64_t>> id_hashes(const table::DatasetSpec& spec, const Table& chunk);
Split split_of_key(uint64_t key_hash);

using Keys = std::vector<std::optional<uint64_t>>;  // key_hashes of a chunk

// Whether each row, if it is of `fine`, is of its validation part (split.h): where its group is, as its
// split. REQUIRES: a number for each row. Thread safe, as what follows.
std::vector<uint8_t> validation_of(const Keys& keys, uint64_t seed, Days date,
                                   const std::vector<uint64_t>& row_numbers);
std::vector<Split> splits_of(const Keys& keys, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers);

// The same of a chunk. REQUIRES: the spec's columns.
std::vector<uint8_t> validation_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed,
                                   Days date, const std::vector<uint64_t>& row_numbers);
std::vector<Split> splits_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers);

}  // namespace maeil::prep
