// The fixed split of a day's rows: 70 % train, 15 % fine, 15 % test, by thresholds on a hash, so that shards agree.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/philox.h"
#include "base/time.h"

namespace maeil::prep {

enum class Split { kTrain, kFine, kTest };

inline Split split_of(uint64_t seed, Days date, uint64_t row) {
  // One Philox block keyed by (seed, date), counted by the row: uniform and independent of every other row.
  const auto day = static_cast<uint32_t>(date.time_since_epoch().count());
  const uint32_t word = philox4x32({static_cast<uint32_t>(row), static_cast<uint32_t>(row >> 32), day, static_cast<uint32_t>(RandomStream::kSplit)},
                                   static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32))[0];
  constexpr uint32_t kTrainEnd = static_cast<uint32_t>(0.70 * 4294967296.0), kFineEnd = static_cast<uint32_t>(0.85 * 4294967296.0);
  return word < kTrainEnd ? Split::kTrain : word < kFineEnd ? Split::kFine : Split::kTest;
}

inline std::string_view to_string(Split split) {
  return split == Split::kTrain ? "train" : split == Split::kFine ? "fine" : "test";
}

}  // namespace maeil::prep
