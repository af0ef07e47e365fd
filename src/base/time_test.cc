// Dates, instants and the daily clock, daylight saving changes included (New York 2026: 8 March, 1 November).
#include "base/time.h"

#include <gtest/gtest.h>

namespace maeil {
namespace {

Instant at(std::string_view text) { return parse_instant(text).value(); }

TEST(Time, DatesRoundTrip) {
  for (const char* text : {"2026-11-23", "2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31"}) {
    ASSERT_TRUE(parse_date(text)) << text;
    EXPECT_EQ(format_date(*parse_date(text)), text);
  }
  for (const char* text :
       {"", "2026-11-2", "2026-11-233", "2025-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026/11/23",
        " 2026-11-2", "+026-11-23", "2026-1a-23", "2026-11-23T"}) {
    ASSERT_FALSE(parse_date(text)) << text;
    EXPECT_EQ(parse_date(text).error().code, ErrorCode::kUsage);
  }
}

TEST(Time, DayMonthYear) { EXPECT_EQ(format_day_month_year(*parse_date("1999-02-01")), "01FEB1999"); }

TEST(Time, InstantsRoundTrip) {
  for (const char* text :
       {"2026-11-23T00:15:00.000Z", "1969-12-31T23:59:59.999Z", "2026-12-31T23:59:59.001Z"}) {
    EXPECT_EQ(format_instant(at(text)), text);
  }
  EXPECT_EQ(format_instant(at("2026-11-23T09:15:00+09:00")), "2026-11-23T00:15:00.000Z");
  EXPECT_EQ(format_instant(at("2026-11-23T00:15:00.5-00:30")), "2026-11-23T00:45:00.500Z");
  EXPECT_EQ(format_instant(at("2026-11-23T00:15:00.123456789Z")), "2026-11-23T00:15:00.123Z");
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T00:15:00", "2026-11-23T24:00:00Z", "2026-11-23T00:60:00Z",
        "2026-11-23T00:00:60Z", "2026-11-23T00:15:00.Z", "2026-11-23T00:15:00.1234567890Z",
        "2026-11-23T00:15:00ZZ", "2026-11-23T00:15:00+0900"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
  }
  EXPECT_EQ(format_version(at("2026-11-23T00:15:07.999Z")), "20261123_001507");
}

TEST(Time, NextDailyInUtc) {
  const auto next = [](std::string_view after, std::string_view time) {
    return format_instant(next_daily(at(after), time, "UTC").value());
  };
  EXPECT_EQ(next("2026-11-23T00:14:59.999Z", "00:15"), "2026-11-23T00:15:00.000Z");
  EXPECT_EQ(next("2026-11-23T00:15:00.000Z", "00:15"), "2026-11-24T00:15:00.000Z");
  EXPECT_EQ(next("2026-12-31T23:59:00.000Z", "00:00"), "2027-01-01T00:00:00.000Z");
}

TEST(Time, NextDailyAcrossDaylightSaving) {
  const auto next = [](std::string_view after, std::string_view time) {
    return format_instant(next_daily(at(after), time, "America/New_York").value());
  };
  if (!next_daily(now(), "00:00", "America/New_York"))
    GTEST_SKIP() << "skipped: needs the system's time zones (tzdata)";
  // 02:30 does not exist: at the change
  EXPECT_EQ(next("2026-03-08T00:00:00Z", "02:30"), "2026-03-08T07:00:00.000Z");
  EXPECT_EQ(next("2026-03-08T07:00:00Z", "02:30"), "2026-03-09T06:30:00.000Z");
  // shown twice: runs once, the first time
  EXPECT_EQ(next("2026-11-01T00:00:00Z", "01:30"), "2026-11-01T05:30:00.000Z");
  EXPECT_EQ(next("2026-11-01T05:30:00Z", "01:30"), "2026-11-02T06:30:00.000Z");
  EXPECT_EQ(format_date(*date_in_zone(at("2026-11-23T03:00:00Z"), "America/New_York")), "2026-11-22");
  EXPECT_EQ(format_date(*date_in_zone(at("2026-11-23T16:00:00Z"), "Asia/Seoul")), "2026-11-24");
}

TEST(Time, WrongSettingsAreNamed) {
  const auto zone = next_daily(now(), "00:00", "Mars/Olympus");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code, ErrorCode::kUsage);
  EXPECT_NE(zone.error().message.find("Mars/Olympus"), std::string::npos);
  for (const char* time : {"", "24:00", "0:15", "00:60", "00-15", "noon!"})
    EXPECT_FALSE(next_daily(now(), time, "UTC")) << time;
  EXPECT_FALSE(date_in_zone(now(), "../../etc/passwd"));
}

}  // namespace
}  // namespace maeil
