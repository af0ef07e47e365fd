// The fixed split of a day's rows: 70 % train, 15 % fine, 15 % test, by thresholds on a hash, so that shards
// agree; and which rows of `fine` are kept back for choosing between models.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/philox.h"
#include "base/time.h"

namespace maeil::prep {

enum class Split { kTrain, kFine, kTest };

// One word of a Philox block keyed by (seed, date, stream), counted by the row: uniform, and independent of
// every other row and stream.
inline uint32_t row_word(RandomStream stream, uint64_t seed, Days date, uint64_t row) {
  const auto day = static_cast<uint32_t>(date.time_since_epoch().count());
  return philox4x32(
      {static_cast<uint32_t>(row), static_cast<uint32_t>(row >> 32), day, static_cast<uint32_t>(stream)},
      static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32))[0];
}

inline Split split_of_word(uint32_t word) {
  constexpr uint32_t kTrainEnd = static_cast<uint32_t>(0.70 * 4294967296.0),
                     kFineEnd = static_cast<uint32_t>(0.85 * 4294967296.0);
  return word < kTrainEnd ? Split::kTrain : word < kFineEnd ? Split::kFine : Split::kTest;
}

inline Split split_of(uint64_t seed, Days date, uint64_t row) {
  return split_of_word(row_word(RandomStream::kSplit, seed, date, row));
}

// Whether a row of `fine` is of its validation part, a fifth: retraining attempts are compared on it and
// learn from the rest, so that none is chosen by the rows it has learnt.
inline bool is_validation(uint64_t seed, Days date, uint64_t row) {
  constexpr uint32_t kEnd = static_cast<uint32_t>(0.20 * 4294967296.0);
  return row_word(RandomStream::kValidation, seed, date, row) < kEnd;
}

// The same of a row that has a group or an id: by the bits of its hash that the split does not go by.
inline bool is_validation_key(uint64_t key_hash) {
  constexpr uint32_t kEnd = static_cast<uint32_t>(0.20 * 4294967296.0);
  return static_cast<uint32_t>(key_hash) < kEnd;
}

inline std::string_view to_string(Split split) {
  return split == Split::kTrain ? "train" : split == Split::kFine ? "fine" : "test";
}

}  // namespace maeil::prep
