// Values of columns as text, as they stand in a CSV file that pandas wrote of them.
#pragma once

#include <cstdint>
#include <string>

namespace maeil::columnar {

// A day since 1970-01-01 as 2024-05-31. Years beyond 1 to 9999 have more digits or a sign, and are no dates
// to any reader.
void append_date(std::string& out, int64_t days);

// A moment of a clock, `value` in parts of a second (`unit` of them): midnight is the date alone, else
// 2024-05-31 13:05:00, with six decimals, or nine, where it has any. So what a value becomes depends on
// nothing but itself.
void append_timestamp(std::string& out, int64_t value, int64_t unit);

// 13:05:00 and decimals as above; of a value that is no time of day: its number.
void append_time(std::string& out, int64_t value, int64_t unit);

// A whole number of `width` bytes (little end first, two's complement) times 10^-scale, all its digits:
// "-12.50", "0.00", "1200". REQUIRES: width 4, 8, 16 or 32; |scale| at most 1000.
void append_decimal(std::string& out, const unsigned char* value, int width, int scale);

}  // namespace maeil::columnar
