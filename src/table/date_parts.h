// Taking a date's text apart from its front, for dates.cc and date_format.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/calendar.h"

namespace maeil::table::date_parts {

inline constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                             "may",       "june",     "july",     "august",
                                                             "september", "october",  "november", "december"};

struct Civil {
  int year = 1900, month = 1, day = 1, hour = 0, minute = 0;
  double second = 0;
};

// Seconds since 1970-01-01; nothing where there is no such day or time.
inline std::optional<double> seconds_since_1970(const Civil& t) {
  if (t.year < 1 || t.hour > 23 || t.minute > 59 || t.second >= 60) return std::nullopt;
  const auto day = day_of(t.year, t.month, t.day);
  if (!day) return std::nullopt;
  const auto days = static_cast<int64_t>(day->time_since_epoch().count());
  return static_cast<double>(days * 86400 + t.hour * 3600 + t.minute * 60) + t.second;
}

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `least` to `most` digits off the text; -1 where they are not there.
inline int take_digits(std::string_view& text, size_t least, size_t most) {
  size_t n = 0;
  int value = 0;
  while (n < most && n < text.size() && is_digit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n < least) return -1;
  text.remove_prefix(n);
  return value;
}

inline bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// Takes a month's name, or its first `length` letters, off the text: 1..12, or -1.
inline int take_month(std::string_view& text, size_t length) {
  for (size_t m = 0; m < kMonths.size(); ++m) {
    const auto name = kMonths[m].substr(0, length);
    bool same = text.size() >= name.size();
    for (size_t i = 0; same && i < name.size(); ++i) same = lower(text[i]) == name[i];
    if (!same) continue;
    text.remove_prefix(name.size());
    return static_cast<int>(m) + 1;
  }
  return -1;
}

}  // namespace maeil::table::date_parts
