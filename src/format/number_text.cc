// Most numbers of a data file have few decimals, and need no search for their shortest digits: when value = m
// / 10^6 with m < 10^15, the division correctly rounded, then m's digits read back as value, and no other
// number of up to 15 digits does (a double holds 15 decimal digits). The others are written by the fmt
// library, whose "{}" has the shortest digits and puts point and exponent where Python does.
#include "format/number_text.h"

#include <fmt/compile.h>

#include <algorithm>
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

}  // namespace

char* write_float(char* out, double value) {
  if (std::signbit(value)) *out++ = '-';
  const double magnitude = std::abs(value);
  if (magnitude < 1e9) {
    if (const auto whole = static_cast<int32_t>(magnitude); static_cast<double>(whole) == magnitude)
      return write_millionths(out, static_cast<uint64_t>(whole), 0);
    // Rounding that is wrong by one fails the test below. NOLINTNEXTLINE(bugprone-incorrect-roundings)
    const auto millionths = static_cast<uint64_t>(static_cast<int64_t>(magnitude * 1e6 + 0.5));
    if (static_cast<double>(millionths) / 1e6 == magnitude && millionths >= 100) {
      return write_millionths(out, millionths / 1000000, static_cast<uint32_t>(millionths % 1000000));
    }
  }
  // As repr, but for the ".0" of a whole number.
  char* const end = fmt::format_to(out, FMT_COMPILE("{}"), magnitude);
  if (std::any_of(out, end, [](char c) { return c == '.' || c == 'e'; })) return end;
  end[0] = '.';
  end[1] = '0';
  return end + 2;
}

void append_float(std::string& out, double value) {
  char text[kMaxNumberText];
  out.append(text, write_float(text, value));
}

}  // namespace maeil::format
