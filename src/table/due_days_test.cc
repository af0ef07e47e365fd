// [calendar]: on which days a file is due, and what is refused.
#include "table/due_days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/dataset_spec.h"

namespace maeil::table {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Result<DatasetSpec> spec_of_days(const std::string& calendar) {
  return parse_dataset_spec("name = \"a\"\ncolumns = [ { name = \"x\", type = \"number\" } ]\n" + calendar,
                            "a.toml");
}

Days day(const char* text) { return parse_date(text).value(); }

TEST(DueDays, AreAllDaysWhereTheSpecSaysNothing) {
  const auto due = spec_of_days("")->due;
  for (Days date = day("2026-11-23"); date <= day("2026-11-29"); date += std::chrono::days{1})
    EXPECT_TRUE(due.on(date)) << format_date(date);
}

TEST(DueDays, AreTheNamedWeekdaysLessTheHolidays) {
  const auto due = spec_of_days(
                       "[calendar]\nweekdays = [\"mon\", \"Tue\", \"wednesday\", \"THURSDAY\", \"fri\"]\n"
                       "holidays = [2026-12-25, \"2026-11-26\"]\n")
                       ->due;
  EXPECT_TRUE(due.on(day("2026-11-23")));   // a Monday
  EXPECT_TRUE(due.on(day("2026-11-27")));   // a Friday
  EXPECT_FALSE(due.on(day("2026-11-28")));  // a Saturday
  EXPECT_FALSE(due.on(day("2026-11-29")));
  EXPECT_FALSE(due.on(day("2026-11-26")));
  EXPECT_FALSE(due.on(day("2026-12-25")));
  EXPECT_EQ(weekday_name(day("2026-11-28")), "Saturday");
  EXPECT_EQ(weekday_name(day("1969-12-28")), "Sunday");
}

TEST(DueDays, WhatCannotBeADayIsRefusedWithItsLine) {
  for (const auto& [calendar, said] :
       {std::pair{"calendar = 1\n", "must be a [calendar] table"},
        {"[calendar]\nweekday = [\"mon\"]\n", "has no key 'weekday'"},
        {"[calendar]\nweekdays = []\n", "weekdays of [calendar] must be a list"},
        {"[calendar]\nweekdays = \"mon\"\n", "weekdays of [calendar] must be a list"},
        {"[calendar]\nweekdays = [\"mo\"]\n", "weekdays of [calendar] must be a list"},
        {"[calendar]\nholidays = 2026-12-25\n", "holidays of [calendar] must be a list"},
        {"[calendar]\nholidays = [\"25.12.2026\"]\n", "holidays of [calendar] must be a list"}}) {
    const auto spec = spec_of_days(calendar);
    ASSERT_FALSE(spec) << calendar;
    EXPECT_THAT(spec.error().message, AllOf(HasSubstr("a.toml:"), HasSubstr(said)));
  }
}

TEST(DatasetSpecText, IsKeptWithoutItsSettings) {
  const auto spec = spec_of_days("[settings]\nMONGODB_PASSWORD = \"secret\"\n").value();
  EXPECT_THAT(spec.text, ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(parse_dataset_spec(spec.text, "b.toml").value().columns.size(), 1u);
}

}  // namespace
}  // namespace maeil::table
