#include "format/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/philox.h"
#include "format/float_cases.h"

namespace maeil::format {
namespace {

std::string text_of(double value) {
  std::string out;
  append_float(out, value);
  return out;
}

TEST(NumberText, WritesFloatsAsPythonDoes) {
  for (const auto& [value, text] : kFloatCases) EXPECT_EQ(text_of(value), text);
}

// The same digits as the standard library's shortest form, and they read back.
void expect_shortest(double value) {
  const std::string text = text_of(value);
  EXPECT_EQ(std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)), std::bit_cast<uint64_t>(value))
      << text;
  const auto digits = [](std::string_view t) {
    std::string out;
    for (char c : t.substr(0, t.find('e'))) {
      if (c >= '0' && c <= '9' && !(out.empty() && c == '0')) out += c;
    }
    while (out.ends_with('0')) out.pop_back();
    return out;
  };
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  EXPECT_EQ(digits(text), digits({buffer, static_cast<size_t>(end - buffer)})) << text;
  EXPECT_LE(text.size(), kMaxNumberText);
}

TEST(NumberText, AnyFloatIsShortestAndReadsBack) {
  RandomSequence random(1, RandomStream::kInit, 0);
  for (int i = 0; i < 200000; ++i) {
    const auto bits = random.next_u64();
    if (const double any = std::bit_cast<double>(bits); std::isfinite(any)) expect_shortest(any);
    const double decimals =
        std::round(random.next_uniform() * 1e7) / std::pow(10.0, static_cast<int>(random.next_below(10)));
    expect_shortest(decimals);
    expect_shortest(std::nextafter(decimals, 1e300));
    expect_shortest(-random.next_uniform() * 2e9);
  }
}

}  // namespace
}  // namespace maeil::format
