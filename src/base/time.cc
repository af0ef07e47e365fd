// The calendar is <chrono>'s; the time zones are Howard Hinnant's date library over the system's table, since
// the compiler's own library has none yet. UTC is answered without that table: a bare machine may not have
// one.
#include "base/time.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <optional>

#include "base/calendar.h"

namespace maeil {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

// The value of text[at, at + count), or -1 unless all of it are digits. At most 9 digits.
int digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::optional<Days> iso_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  return day_of(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
}

// "HH:MM" as minutes after midnight.
std::optional<minutes> clock_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int h = digits(text, 0, 2), m = digits(text, 3, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  return minutes{h * 60 + m};
}

// "Z" or "+HH:MM" / "-HH:MM": what the local clock is ahead of UTC.
std::optional<minutes> utc_offset(std::string_view text) {
  if (text == "Z") return minutes{0};
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto offset = clock_time(text.substr(1));
  if (!offset) return std::nullopt;
  return text[0] == '-' ? -*offset : *offset;
}

// Null stands for UTC.
Result<const date::time_zone*> zone_named(std::string_view name) {
  if (name == "UTC") return nullptr;
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return usage_error(fmt::format(
        "TIMEZONE \"{}\" is no time zone of this system: give an IANA name such as UTC or Asia/Seoul", name));
  }
}

// The wall clock's time in a zone as if it were UTC.
Instant wall_clock(Instant instant, const date::time_zone* zone) {
  return zone ? Instant{zone->to_local(instant).time_since_epoch()} : instant;
}

// The instant of a wall clock time: the first of two, or the moment of the change when it is skipped.
Instant instant_of_wall_clock(Instant wall, const date::time_zone* zone) {
  if (!zone) return wall;
  const date::local_time<milliseconds> local{wall.time_since_epoch()};
  const date::local_info info = zone->get_info(local);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return Instant{wall.time_since_epoch() - info.first.offset};
}

}  // namespace

Instant now() { return floor<milliseconds>(std::chrono::system_clock::now()); }

std::string format_date(Days date) {
  const year_month_day d{date};
  return fmt::format("{:04}-{:02}-{:02}", int{d.year()}, unsigned{d.month()}, unsigned{d.day()});
}

Result<Days> parse_date(std::string_view text) {
  if (const auto day = iso_day(text)) return *day;
  return usage_error(fmt::format("\"{}\" is no date: write it as 2026-11-23", text.substr(0, 40)));
}

std::string format_day_month_year(Days date) {
  const year_month_day d{date};
  return fmt::format("{:02}{}{:04}", unsigned{d.day()}, kMonths[unsigned{d.month()} - 1], int{d.year()});
}

std::string format_instant(Instant instant) {
  const Days day = floor<days>(instant);
  const std::chrono::hh_mm_ss time{instant - day};
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", format_date(day), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

Result<Instant> parse_instant(std::string_view text) {
  const auto no_instant = [&] {
    return bad_input(
        fmt::format("\"{}\" is no instant: write it as 2026-11-23T00:15:00.000Z", text.substr(0, 40)));
  };
  if (text.size() < 20 || text.size() > 40 || text[10] != 'T' || text[16] != ':') return no_instant();
  const auto day = iso_day(text.substr(0, 10));
  const auto hh_mm = clock_time(text.substr(11, 5));
  const int second = digits(text, 17, 2);
  if (!day || !hh_mm || second < 0 || second > 59) return no_instant();
  size_t at = 19;
  int fraction = 0;  // milliseconds; further digits are cut off
  if (text[at] == '.') {
    const size_t first = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at == first || at - first > 9) return no_instant();
    for (size_t i = 0; i < 3; ++i) fraction = fraction * 10 + (first + i < at ? text[first + i] - '0' : 0);
  }
  const auto offset = utc_offset(text.substr(at));
  if (!offset) return no_instant();
  return Instant{*day} + *hh_mm + seconds{second} + milliseconds{fraction} - *offset;
}

std::string format_version(Instant instant) {
  const Days day = floor<days>(instant);
  const year_month_day d{day};
  const std::chrono::hh_mm_ss time{instant - day};
  return fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}", int{d.year()}, unsigned{d.month()}, unsigned{d.day()},
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

Result<Instant> next_daily(Instant after, std::string_view hh_mm, std::string_view time_zone) {
  const auto time = clock_time(hh_mm);
  if (!time)
    return usage_error(fmt::format("SCHEDULE_TIME \"{}\" is no time of day: write it as 00:15", hh_mm));
  MAEIL_ASSIGN(const date::time_zone* zone, zone_named(time_zone));
  try {
    // From yesterday on: a change of the clock may move today's time to either side of `after`.
    Days day = floor<days>(wall_clock(after, zone)) - days{1};
    for (int tries = 0; tries < 4; ++tries, day += days{1}) {
      const Instant candidate = instant_of_wall_clock(Instant{day} + *time, zone);
      if (candidate > after) return candidate;
    }
  } catch (const std::exception& error) {
    return internal_error(fmt::format("time zone {}: {}", time_zone, error.what()));
  }
  return internal_error(fmt::format("time zone {} has no {} within three days", time_zone, hh_mm));
}

Result<Days> date_in_zone(Instant instant, std::string_view time_zone) {
  MAEIL_ASSIGN(const date::time_zone* zone, zone_named(time_zone));
  try {
    return floor<days>(wall_clock(instant, zone));
  } catch (const std::exception& error) {
    return internal_error(fmt::format("time zone {}: {}", time_zone, error.what()));
  }
}

}  // namespace maeil
