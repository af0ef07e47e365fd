// What a float32 column holds and shows: the nearest single, as the double with the same shortest text.
#pragma once

#include <charconv>
#include <cmath>

namespace maeil::copula {

// 0.1 (as a single 0.100000001490116...) stays 0.1. Beyond a single's range: infinite.
inline double as_single(double value) {
  const auto single = static_cast<float>(value);
  if (!std::isfinite(single)) return static_cast<double>(single);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, single).ptr;
  double out = 0;
  std::from_chars(text, end, out);
  return out;
}

}  // namespace maeil::copula
