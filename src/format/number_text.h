// Numbers as Python writes them: str(int), and repr(float), the fewest digits that read back the same.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

namespace maeil::format {

// bytes that either function may write to; what they leave there beyond the text is noise
inline constexpr size_t kMaxNumberText = 32;

// Writes `value` at `out` and returns its end. The double must be finite: "5.0", "-0.0", "0.1", "1e-05",
// "1e+16".
char* write_float(char* out, double value);
inline char* write_integer(char* out, int64_t value) {
  return std::to_chars(out, out + kMaxNumberText, value).ptr;
}

void append_float(std::string& out, double value);

}  // namespace maeil::format
