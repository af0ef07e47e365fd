// The one reader of dates: every command, the dataset's preparation, `--where`, constraints and the quality
// report read them here.
//
// Without a format only those forms are read that can mean one day: the year first, or the month by its name.
// 05/06/2024 is read by nobody here unless a format says which is the month. Days of the proleptic Gregorian
// calendar, years 1 to 9999.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "table/date_format.h"

namespace maeil::table {

// Seconds since 1970 of a date that needs no format, blanks around it left aside:
//   2024-05-31, 2024/05/31, 2024.05.31, 20240531 (20240531.0 too, as pandas writes whole numbers beside
//   missing ones), 31MAY2024, 31-May-2024 (one digit of the day, any case); behind it, after "T" or a blank
//   (after a month's name ":" too, as SAS has it), HH:MM, HH:MM:SS or HH:MM:SS.ffffff, and then "Z" or an
//   offset such as +09:00. The offset is not applied: the day is the one that stands there, where it was
//   written.
std::optional<double> read_date(std::string_view text);

// The same where a column may have a format: then that alone is read.
std::optional<double> read_date(std::string_view text, const std::optional<DateFormat>& format);

// The day of such a date, its time left aside.
std::optional<Days> read_day(std::string_view text, const std::optional<DateFormat>& format = {});

// The day of each text of a column's dictionary: few are read, however many rows there are.
std::vector<std::optional<Days>> days_of_texts(const std::vector<std::string>& texts,
                                               const std::optional<DateFormat>& format);

// Whether the format has a month and no day of it: its dates are the first of the month.
bool is_month(const std::optional<DateFormat>& format);

// The format of months that all texts have: 2024-05, 2024/05, 2024.05 or 202405. Nothing where one has
// another, where there are none, and where six digits could be days as well (201205: 2012-05, or 2020-12-05).
std::optional<DateFormat> month_format(const std::vector<std::string_view>& texts);

// The strptime format of a date that needs none; nothing for an offset or more than six decimals of a second,
// which have no directive.
std::optional<std::string> format_of_date(std::string_view text);

// Seconds since 1970 written as `example` is: its order, separators and the case of its month, its time as
// far as it has one. REQUIRES: read_date(example).
std::string write_date_like(std::string_view example, double seconds);

// The seconds between one such date and the next: 86400 without a time, 60, 1, 0.1 ... REQUIRES:
// read_date(example).
double date_step(std::string_view example);

// Whether the text is a day with its year last, 05/06/2024 or 31.05.2024, which is not read without a format.
bool has_year_last(std::string_view text);

// Why a text is no date of the column, as the end of a sentence: " is 2024-06-05 or 2024-05-06: ...". For
// messages.
std::string why_no_date(std::string_view text, const std::optional<DateFormat>& format);

}  // namespace maeil::table
