// Dates: the forms that are read, those that are refused and why, formats, and values written as an example
// is.
#include "table/dates.h"

#include <gtest/gtest.h>

#include <cmath>

namespace maeil::table {
namespace {

std::string day(std::string_view text) {
  const auto read = read_day(text);
  return read ? format_date(*read) : "";
}

TEST(ReadDate, FormsThatCanMeanOneDayOnly) {
  for (const char* text : {"2024-05-31",
                           "2024/05/31",
                           "2024.05.31",
                           "20240531",
                           "20240531.0",
                           "31MAY2024",
                           "31may2024",
                           "31-May-2024",
                           "31 May 2024",
                           " 2024-05-31 ",
                           "2024-05-31 12:34",
                           "2024-05-31 23:59:59",
                           "2024-05-31T23:59:59",
                           "2024-05-31T23:59:59.999999",
                           "2024-05-31T00:00:00Z",
                           "2024-05-31T00:10:00+09:00",
                           "2024-05-31 23:10:00-0500",
                           "2024/05/31 01:02:03",
                           "20240531 01:02:03",
                           "31MAY2024:01:02:03"}) {
    EXPECT_EQ(day(text), "2024-05-31") << text;
  }
  EXPECT_EQ(day("1Jan2024"), "2024-01-01");
  EXPECT_EQ(day("31DEC9999"), "9999-12-31");
  EXPECT_EQ(day("1960-02-29T12:00:00"), "1960-02-29");  // before 1970: down to the day, not towards zero
  EXPECT_EQ(*read_date("2024-05-31 00:01:00.25"), *read_date("2024-05-31") + 60.25);
}

TEST(ReadDate, EverythingElseIsNone) {
  for (const char* text : {"",
                           " ",
                           "05/06/2024",
                           "31/05/2024",
                           "05.06.2024",
                           "2024-02-30",
                           "2023-02-29",
                           "20241301",
                           "20240567",
                           "2024-5-31",
                           "2024-05/31",
                           "2024-05",
                           "2024",
                           "202405311",
                           "1.5",
                           "31MAY24",
                           "31MAI2024",
                           "30FEB2024",
                           "3 MAY2024",
                           "MAY2024",
                           "31-MAY2024",
                           "2024-05-31T",
                           "2024-05-31 24:00",
                           "2024-05-31 12:60",
                           "2024-05-31 12:34:60",
                           "2024-05-31 12:34:56.",
                           "2024-05-31 12:34:56+25:00",
                           "2024-05-31 12:34:56+9",
                           "2024-05-31x12:34",
                           "2024-05-31 12:34 PM",
                           "20240531.5",
                           "0000-01-01",
                           "1717113600",
                           "NA",
                           "soon",
                           "2024-05-31 12:34:56.1234567890"}) {
    EXPECT_FALSE(read_date(text)) << text;
  }
}

TEST(DateFormat, ReadsAsStrptimeDoes) {
  const auto read = [](const char* format, const char* text) {
    return DateFormat::parse(format)->read(text);
  };
  EXPECT_EQ(read("%Y-%m-%d", "1970-01-02"), 86400);
  EXPECT_EQ(read("%d%b%Y", "29feb2020"), 1582934400);
  EXPECT_EQ(read("%d %B %y %H:%M:%S.%f", "1 January 70 00:01:01.5"), 61.5);
  EXPECT_EQ(read("%-m/%-d/%Y%%", "1/2/1970%"), 86400);
  EXPECT_FALSE(read("%Y-%m-%d", "2021-02-29"));
  EXPECT_FALSE(read("%Y-%m-%d", "2021-02-2x"));
  EXPECT_FALSE(read("%Y-%m-%d", "2021-02-20 "));
  EXPECT_FALSE(read("%b", "Foo"));
  EXPECT_EQ(read_date("31MAY2024"), read_date("2024-05-31"));
  EXPECT_EQ(read_date("2024-05-31T00:00:10"), *read_date("2024-05-31") + 10);
}

TEST(DateFormat, WritesWhatItReads) {
  for (const auto& [format, text] : {std::pair{"%d/%m/%Y", "05/06/2024"},
                                     {"%d%b%y", "05JUN24"},
                                     {"%d. %B %Y", "05. June 2024"},
                                     {"%b-%d-%Y", "jun-05-1931"},
                                     {"%m/%d/%Y %H:%M:%S.%f", "06/05/2024 23:59:58.000250"}}) {
    const auto parsed = DateFormat::parse(format).value();
    const auto seconds = parsed.read(text);
    ASSERT_TRUE(seconds) << text;
    EXPECT_EQ(parsed.write(*seconds, text), text);
  }
}

// Its rounding does not reach 24:00:00 of the day.
TEST(DateFormat, TheLastMomentOfADayStaysInIt) {
  const auto format = DateFormat::parse("%Y-%m-%d %H:%M:%S.%f").value();
  const double midnight = *read_date("2024-06-01");
  EXPECT_EQ(format.write(std::nextafter(midnight, 0), ""), "2024-05-31 23:59:59.999999");
  EXPECT_EQ(format.write(midnight, ""), "2024-06-01 00:00:00.000000");
}

TEST(ReadDate, AFormatIsTheOnlyOneThatIsRead) {
  const std::optional<DateFormat> day_first = DateFormat::parse("%d/%m/%Y").value();
  EXPECT_EQ(format_date(*read_day("05/06/2024", day_first)), "2024-06-05");
  EXPECT_FALSE(read_day("2024-06-05", day_first));
  const std::optional<DateFormat> compact = DateFormat::parse("%Y%m%d").value();
  EXPECT_EQ(format_date(*read_day("20240605", compact)), "2024-06-05");
  EXPECT_TRUE(compact->is_plain());
  EXPECT_FALSE(day_first->is_plain());
  EXPECT_FALSE(DateFormat::parse("%Y%d%m")->is_plain());
  EXPECT_FALSE(DateFormat::parse("%H:%M")->has_year());
}

TEST(WhyNoDate, NamesBothReadings) {
  EXPECT_EQ(why_no_date("05/06/2024", {}),
            " is 2024-06-05 or 2024-05-06: a dataset spec says which is meant, with format = \"%d/%m/%Y\" or "
            "\"%m/%d/%Y\"");
  EXPECT_NE(why_no_date("31.05.2024", {}).find("year last"), std::string::npos);
  EXPECT_NE(why_no_date("soon", {}).find("2024-05-31"), std::string::npos);
  EXPECT_NE(why_no_date("2024-05-31", DateFormat::parse("%Y%m%d").value()).find("'%Y%m%d'"),
            std::string::npos);
  EXPECT_FALSE(has_year_last("12/3456"));
}

TEST(WriteDateLike, KeepsTheExamplesForm) {
  const double time = *read_date("1999-12-03T04:05:06.5");
  for (const auto& [example, written] : {std::pair{"2024-05-31", "1999-12-03"},
                                         {"2024/05/31", "1999/12/03"},
                                         {"20240531", "19991203"},
                                         {"20240531.0", "19991203.0"},
                                         {"31MAY2024", "03DEC1999"},
                                         {"31may2024", "03dec1999"},
                                         {"31May2024", "03Dec1999"},
                                         {"1-May-2024", "3-Dec-1999"},
                                         {"2024-05-31 10:20", "1999-12-03 04:05"},
                                         {"2024-05-31T10:20:30Z", "1999-12-03T04:05:06Z"},
                                         {"2024-05-31 10:20:30.00", "1999-12-03 04:05:06.50"}}) {
    EXPECT_EQ(write_date_like(example, time), written);
    const auto format = format_of_date(example);
    if (std::string_view(example).ends_with('Z'))
      EXPECT_FALSE(format);
    else
      EXPECT_EQ(DateFormat::parse(*format)->read(written), read_date(written)) << *format;
  }
  EXPECT_EQ(date_step("2024-05-31"), 86400);
  EXPECT_EQ(date_step("2024-05-31 10:20"), 60);
  EXPECT_EQ(write_date_like("2024-05-31", *read_date("1960-02-29 23:00")), "1960-02-29");
}

TEST(Dates, OfADictionaryAreThoseOfItsTexts) {
  const auto days = days_of_texts({"2024-05-31", "soon", "", "31MAY2024"}, {});
  ASSERT_EQ(days.size(), 4u);
  EXPECT_EQ(days[0], read_day("2024-05-31"));
  EXPECT_EQ(days[1], std::nullopt);
  EXPECT_EQ(days[2], std::nullopt);
  EXPECT_EQ(days[3], days[0]);
}

}  // namespace
}  // namespace maeil::table
