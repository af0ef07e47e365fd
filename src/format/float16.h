// The two 16-bit floats as float32, exactly: IEEE 754 binary16 (5 bits of exponent) and bfloat16 (float32's
// upper half). Infinities and NaN stay what they are.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace maeil::format {

inline float float16_to_float(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float size = std::ldexp(static_cast<float>(mantissa), -24);  // zero and subnormals
  if (exponent == 31)
    size = mantissa == 0 ? INFINITY : NAN;
  else if (exponent > 0)
    size = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return bits >> 15 ? -size : size;
}

inline float bfloat16_to_float(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace maeil::format
