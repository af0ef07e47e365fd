#include "columnar/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <iterator>

namespace maeil::columnar {
namespace {

// Rounded down, as days before 1970 need it.
int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

void put2(char* at, int64_t value) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}
// What it leaves, without the product, which the least values overflow.
int64_t floor_rest(int64_t a, int64_t b) { return a % b < 0 ? a % b + b : a % b; }

void append_clock(std::string& out, int64_t seconds, int64_t parts, int64_t unit) {
  char text[] = "HH:MM:SS";
  put2(text, seconds / 3600), put2(text + 3, seconds / 60 % 60), put2(text + 6, seconds % 60);
  out.append(text, 8);
  if (parts == 0) return;
  const int64_t nanos = parts * (1'000'000'000 / unit);
  if (nanos % 1000 == 0)
    fmt::format_to(std::back_inserter(out), ".{:06}", nanos / 1000);
  else
    fmt::format_to(std::back_inserter(out), ".{:09}", nanos);
}

}  // namespace

// The civil calendar by eras of 400 years (Hinnant's days_from_civil the other way round), for any day of 64
// bits of milliseconds.
void append_date(std::string& out, int64_t days) {
  const int64_t z = days + 719468;
  const int64_t era = floor_div(z, 146097), day_of_era = z - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t m = (5 * day_of_year + 2) / 153;  // March is 0
  const int64_t day = day_of_year - (153 * m + 2) / 5 + 1, month = m < 10 ? m + 3 : m - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2);
  if (year < 0 || year > 9999) {
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", year, month, day);
    return;
  }
  char text[] = "YYYY-MM-DD";  // a column has millions of them
  put2(text, year / 100), put2(text + 2, year % 100), put2(text + 5, month), put2(text + 8, day);
  out.append(text, 10);
}

void append_timestamp(std::string& out, int64_t value, int64_t unit) {
  const int64_t seconds = floor_div(value, unit), parts = floor_rest(value, unit);
  const int64_t days = floor_div(seconds, 86400), of_day = floor_rest(seconds, 86400);
  append_date(out, days);
  if (of_day == 0 && parts == 0) return;
  out += ' ';
  append_clock(out, of_day, parts, unit);
}

void append_time(std::string& out, int64_t value, int64_t unit) {
  if (value < 0 || value / unit >= 86400) {
    fmt::format_to(std::back_inserter(out), "{}", value);
    return;
  }
  append_clock(out, value / unit, value % unit, unit);
}

void append_decimal(std::string& out, const unsigned char* value, int width, int scale) {
  std::array<uint32_t, 8> limbs{};
  std::memcpy(limbs.data(), value, static_cast<size_t>(width));
  const size_t count = static_cast<size_t>(width) / 4;
  const bool negative = limbs[count - 1] >> 31;
  if (negative) {
    uint64_t carry = 1;
    for (size_t i = 0; i < count; ++i) {
      carry += static_cast<uint32_t>(~limbs[i]);
      limbs[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  std::string digits;  // the last first
  for (size_t left = count; left > 0;) {
    uint64_t rest = 0;
    for (size_t i = left; i-- > 0;) {
      rest = rest << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    for (int i = 0; i < 9; ++i, rest /= 10) digits += static_cast<char>('0' + rest % 10);
    while (left > 0 && limbs[left - 1] == 0) --left;
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (scale < 0 && digits != "0") digits.insert(0, static_cast<size_t>(-scale), '0');
  if (scale > 0 && digits.size() <= static_cast<size_t>(scale))
    digits.append(static_cast<size_t>(scale) + 1 - digits.size(), '0');
  std::ranges::reverse(digits);
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  if (negative) out += '-';
  out += digits;
}

}  // namespace maeil::columnar
