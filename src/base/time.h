// Calendar dates and instants as the contract writes them. The time zone table is the system's (TIMEZONE
// setting).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace maeil {

using Days = std::chrono::sys_days;                                // a calendar date
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;  // UTC

Instant now();

// "2026-11-23". parse_date refuses anything else, and days that do not exist.
std::string format_date(Days date);
Result<Days> parse_date(std::string_view text);

// "31MAY2024", as the built-in dataset writes its days. Dates of data are read by table/dates.h.
std::string format_day_month_year(Days date);

// "2026-11-23T00:15:00.000Z".
std::string format_instant(Instant instant);
// Also without or with other fractions of a second (cut to milliseconds), and with an offset such as +09:00
// for Z.
Result<Instant> parse_instant(std::string_view text);

// "YYYYMMDD_HHMMSS" in UTC: a model version's name.
std::string format_version(Instant instant);

// The next instant after `after` at which a clock in `time_zone` (IANA name) shows HH:MM; a time that a
// daylight saving change skips runs at the moment of the change, one that it repeats runs the first time
// only. kUsage for an unknown zone or text that is not HH:MM.
Result<Instant> next_daily(Instant after, std::string_view hh_mm, std::string_view time_zone);

// The calendar date that a clock in `time_zone` shows.
Result<Days> date_in_zone(Instant instant, std::string_view time_zone);

}  // namespace maeil
