// The one place where a day is made of numbers: what reads dates (base/time.cc, table/date_parts.h, SDV's
// files) takes them apart in its own way and asks here what day that is. Proleptic Gregorian, years 0 to
// 9999.
#pragma once

#include <chrono>
#include <cmath>
#include <optional>

#include "base/time.h"

namespace maeil {

// Nothing where there is no such day.
inline std::optional<Days> day_of(int year, int month, int day) {
  if (year < 0 || year > 9999 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Days{date};
}

// The day of a moment. REQUIRES: it lies in years that an int counts the days of.
inline Days day_at(double seconds_since_1970) {
  return Days{std::chrono::days(static_cast<int>(std::floor(seconds_since_1970 / 86400)))};
}

}  // namespace maeil
