// Dropout masks as a pure function of (seed, step, row, site, position): the backward pass makes them again
// instead of storing them, and the number of threads cannot change them.
//
// One 32-bit word serves four neighbouring positions, a byte each, so the rate is rounded to a multiple of
// 1/256 (0.3 -> 77/256 = 0.3008) and the survivors are scaled by the rounded rate's 1 / (1 - p): the
// expectation is exact.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/philox.h"

namespace maeil::kernels {

struct DropoutRate {
  int dropped_of_256 = 0;
  float scale = 1;  // of what survives
};

inline DropoutRate dropout_rate(float rate) {
  const int dropped = std::clamp(static_cast<int>(std::lround(rate * 256)), 0, 255);
  return {dropped, 256.0f / static_cast<float>(256 - dropped)};
}

struct DropoutKey {
  uint32_t a = 0, b = 0;
};

// The masks of one row in one step.
struct RowDropout {
  DropoutRate rate;
  uint64_t seed = 0, step = 0;
  uint32_t row = 0;  // position in the batch

  bool active() const { return rate.dropped_of_256 > 0; }
  // `site`: one of the places in the model where dropout acts, see dropout_site.
  DropoutKey key(uint32_t site) const {
    const PhiloxBlock block = philox4x32({row, static_cast<uint32_t>(RandomStream::kDropout) | site << 8,
                                          static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)},
                                         static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
    return {block[0], block[1]};
  }
};

// Sites of a layer: its heads' probabilities, then after the output projection, in the hidden layer, after
// linear2. The classifier's hidden layer comes after all of them: dropout_site(heads, layers, 0).
inline uint32_t dropout_site(int heads, int layer, int place) {
  return static_cast<uint32_t>(layer * (heads + 3) + place);
}

// Two rounds of multiply-xorshift over `index`, keyed at both ends. Positions: index = (i / 4) << 16 | j,
// byte i % 4, where i is the key token or the feature and j the query token or the token: lanes of a vector
// are neighbouring j.
inline uint32_t dropout_word(DropoutKey key, uint32_t index) {
  uint32_t x = index * 0x9E3779B1u + key.a;
  x = (x ^ x >> 16) * 0x7FEB352Du;
  x = (x ^ x >> 15 ^ key.b) * 0x846CA68Bu;
  return x ^ x >> 16;
}

// A byte is taken as -128..127, since vectors compare signed numbers: dropped when below dropped_of_256 -
// 128.
inline bool dropout_keeps(DropoutKey key, DropoutRate rate, uint32_t i, uint32_t j) {
  const uint32_t word = dropout_word(key, (i / 4) << 16 | j) << 8 * (i % 4);
  return (static_cast<int32_t>(word) >> 24) >= rate.dropped_of_256 - 128;
}

}  // namespace maeil::kernels
