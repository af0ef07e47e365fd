// A choice of rows that is spread evenly over a file and the same at every call: one row of each of as many
// stretches of equal length.
//
// Which row of its stretch is drawn by a hash: a fixed stride would take only Januaries of a file with twelve
// rows a loan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace maeil::quality {

// The row of stretch k, which is [k all / kept, (k + 1) all / kept); ascends with k. REQUIRES: k < kept <=
// all < 2^32.
inline size_t chosen_row(size_t k, size_t all, size_t kept) {
  constexpr uint64_t kSeed = 20240601;
  const size_t from = k * all / kept, to = (k + 1) * all / kept;
  return from + hash64({reinterpret_cast<const char*>(&k), sizeof k}, kSeed) % (to - from);
}

}  // namespace maeil::quality
