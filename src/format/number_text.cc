// Most numbers of a data file have few decimals, and need no search for their shortest digits: when value = m
// / 10^6 with m < 10^15, the division correctly rounded, then m's digits read back as value, and no other
// number of up to 15 digits does (a double holds 15 decimal digits). For the others, the shortest digits come
// from Dragonbox (Jeon, "Dragonbox: A New Floating-Point Binary-to-Decimal Conversion Algorithm", 2020),
// which the fmt library carries.
#include "format/number_text.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace maeil::format {
namespace {

// The decimal digits of n, without leading zeros ("0" for 0); returns the end.
char* write_digits(char* out, uint64_t n) { return std::to_chars(out, out + 20, n).ptr; }

constexpr auto kPairs = [] {
  std::array<char, 200> out{};
  for (size_t i = 0; i < 100; ++i)
    out[2 * i] = static_cast<char>('0' + i / 10), out[2 * i + 1] = static_cast<char>('0' + i % 10);
  return out;
}();
void write_pair(char* out, uint32_t pair) { std::memcpy(out, &kPairs[2 * pair], 2); }

// whole.fraction with `fraction` in millionths, trailing zeros dropped but one.
char* write_millionths(char* out, uint64_t whole, uint32_t fraction) {
  if (whole < 10) {
    *out++ = static_cast<char>('0' + whole);
  } else if (whole < 100) {
    write_pair(out, static_cast<uint32_t>(whole));
    out += 2;
  } else {
    out = write_digits(out, whole);
  }
  out[0] = '.';
  write_pair(out + 1, fraction / 10000);
  write_pair(out + 3, fraction / 100 % 100);
  write_pair(out + 5, fraction % 100);
  // How many of the six are kept: the last that is not '0' counts from the word's end, whatever they are.
  uint64_t digits = 0;
  for (int i = 6; i >= 2; --i) digits = digits << 8 | static_cast<uint8_t>(out[i] - '0');
  return out + 2 + (64 + 7 - std::countl_zero(digits)) / 8;
}

// 0.digits x 10^point, as repr places the point.
char* write_shortest(char* out, const char* digits, int count, int point) {
  if (point > 16 || point < -3) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      std::memcpy(out, digits + 1, static_cast<size_t>(count - 1));
      out += count - 1;
    }
    const int exponent = point - 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    if (std::abs(exponent) < 10) *out++ = '0';
    return write_digits(out, static_cast<uint64_t>(std::abs(exponent)));
  }
  if (point <= 0) {
    std::memcpy(out, "0.000", 5);
    out += 2 - point;
    std::memcpy(out, digits, static_cast<size_t>(count));
    return out + count;
  }
  if (count <= point) {
    std::memcpy(out, digits, static_cast<size_t>(count));
    std::memset(out + count, '0', static_cast<size_t>(point - count));
    out += point;
    *out++ = '.';
    *out++ = '0';
    return out;
  }
  std::memcpy(out, digits, static_cast<size_t>(point));
  out[point] = '.';
  std::memcpy(out + point + 1, digits + point, static_cast<size_t>(count - point));
  return out + count + 1;
}

}  // namespace

char* write_float(char* out, double value) {
  if (std::signbit(value)) *out++ = '-';
  const double magnitude = std::abs(value);
  if (magnitude < 1e9) {
    if (const auto whole = static_cast<int32_t>(magnitude); static_cast<double>(whole) == magnitude)
      return write_millionths(out, static_cast<uint64_t>(whole), 0);
    const auto millionths = static_cast<uint64_t>(static_cast<int64_t>(magnitude * 1e6 + 0.5));
    if (static_cast<double>(millionths) / 1e6 == magnitude && millionths >= 100) {
      return write_millionths(out, millionths / 1000000, static_cast<uint32_t>(millionths % 1000000));
    }
  }
  const auto shortest = fmt::detail::dragonbox::to_decimal(magnitude);
  char digits[24];
  const char* end = write_digits(digits, shortest.significand);
  const int written = static_cast<int>(end - digits);
  int count = written;
  while (count > 1 && digits[count - 1] == '0') --count;
  return write_shortest(out, digits, count, written + shortest.exponent);
}

void append_float(std::string& out, double value) {
  char text[kMaxNumberText];
  out.append(text, write_float(text, value));
}

}  // namespace maeil::format
