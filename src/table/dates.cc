// Dates are taken apart from the front, once, into their values and their layout; a layout is what makes a
// format of them, or writes another date like them.
#include "table/dates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/blanks.h"
#include "table/date_parts.h"

namespace maeil::table {
namespace {

using namespace date_parts;

// How a date that needs no format is written.
struct DateLayout {
  bool month_name = false, one_digit_day = false, point_zero = false;
  std::string_view month;   // the example's letters
  char separator = 0;       // between the parts of the day; 0: none
  char time_separator = 0;  // before the time; 0: there is none
  bool seconds = false;
  size_t decimals = 0;  // of the seconds
  std::string_view offset;
};

bool take_day(std::string_view& text, Civil& t, DateLayout& layout) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 8) {
    t.year = take_digits(text, 4, 4), t.month = take_digits(text, 2, 2), t.day = take_digits(text, 2, 2);
    if (text == ".0") {
      layout.point_zero = true;
      text = {};
    }
    return true;
  }
  if (digits == 4) {
    t.year = take_digits(text, 4, 4);
    layout.separator = text.empty() ? '\0' : text.front();
    if (layout.separator != '-' && layout.separator != '/' && layout.separator != '.') return false;
    text.remove_prefix(1);
    t.month = take_digits(text, 2, 2);
    if (!take(text, layout.separator)) return false;
    t.day = take_digits(text, 2, 2);
    return true;
  }
  if (digits != 1 && digits != 2) return false;
  layout.month_name = true;
  layout.one_digit_day = digits == 1;
  t.day = take_digits(text, 1, 2);
  if (!text.empty() && (text.front() == '-' || text.front() == ' ' || text.front() == '/')) {
    layout.separator = text.front();
    text.remove_prefix(1);
  }
  layout.month = text.substr(0, 3);
  t.month = take_month(text, 3);
  if (t.month < 0 || (layout.separator != 0 && !take(text, layout.separator))) return false;
  t.year = take_digits(text, 4, 4);
  return true;
}

bool take_offset(std::string_view& text) {
  if (take(text, 'Z')) return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  const int hours = take_digits(text, 2, 2);
  int minutes = 0;
  if (take(text, ':') || !text.empty()) minutes = take_digits(text, 2, 2);
  return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

bool take_time(std::string_view& text, Civil& t, DateLayout& layout) {
  layout.time_separator = text.front();
  if (layout.time_separator != 'T' && layout.time_separator != ' ' &&
      !(layout.month_name && layout.time_separator == ':'))
    return false;
  text.remove_prefix(1);
  t.hour = take_digits(text, 2, 2);
  if (!take(text, ':')) return false;
  t.minute = take_digits(text, 2, 2);
  if (take(text, ':')) {
    const int second = take_digits(text, 2, 2);
    if (second < 0) return false;
    t.second = second;
    layout.seconds = true;
    if (take(text, '.')) {
      double place = 0.1;
      for (; layout.decimals < text.size() && is_digit(text[layout.decimals]);
           ++layout.decimals, place /= 10) {
        t.second += place * (text[layout.decimals] - '0');
      }
      if (layout.decimals == 0 || layout.decimals > 9) return false;
      text.remove_prefix(layout.decimals);
    }
  }
  layout.offset = text;
  return t.hour >= 0 && t.minute >= 0 && (text.empty() || take_offset(text));
}

std::optional<double> read(std::string_view text, DateLayout& layout) {
  if (text.empty()) return std::nullopt;
  Civil t;
  if (!is_digit(text.front()) || !is_digit(text.back())) text = without_blanks(text);
  if (!take_day(text, t, layout) || (!text.empty() && !take_time(text, t, layout)) || !text.empty())
    return std::nullopt;
  return seconds_since_1970(t);
}

// What a text with the year last can mean, seconds since 1970; a reading that is no day is none.
struct YearLast {
  char separator = 0;
  std::optional<double> day_first, month_first;

  static std::optional<YearLast> find(std::string_view text) {
    text = without_blanks(text);
    const int first = take_digits(text, 1, 2);
    if (first < 1 || text.empty() || std::string_view("/-. ").find(text.front()) == std::string_view::npos)
      return std::nullopt;
    YearLast out{.separator = text.front()};
    text.remove_prefix(1);
    const int second = take_digits(text, 1, 2);
    if (second < 1 || !take(text, out.separator)) return std::nullopt;
    const int year = take_digits(text, 4, 4);
    if (year < 1 || (!text.empty() && text.front() >= '0' && text.front() <= '9')) return std::nullopt;
    out.day_first = seconds_since_1970({year, second, first, 0, 0, 0});
    out.month_first = seconds_since_1970({year, first, second, 0, 0, 0});
    return out.day_first || out.month_first ? std::optional(out) : std::nullopt;
  }
};

}  // namespace

std::optional<double> read_date(std::string_view text) {
  // The built-in dataset's 31MAY2024 without a layout: a day's raw rows hold six hundred thousand of them.
  if (text.size() == 9 && is_digit(text[1]) && !is_digit(text[2])) {
    Civil t;
    std::string_view left = text;
    t.day = take_digits(left, 2, 2);
    t.month = take_month(left, 3);
    t.year = take_digits(left, 4, 4);
    if (t.month > 0) return left.empty() ? seconds_since_1970(t) : std::nullopt;
  }
  DateLayout layout;
  return read(text, layout);
}

std::optional<double> read_date(std::string_view text, const std::optional<DateFormat>& format) {
  return format ? format->read(text) : read_date(text);
}

std::optional<Days> read_day(std::string_view text, const std::optional<DateFormat>& format) {
  const auto seconds = read_date(text, format);
  if (!seconds) return std::nullopt;
  return day_at(*seconds);
}

std::vector<std::optional<Days>> days_of_texts(const std::vector<std::string>& texts,
                                               const std::optional<DateFormat>& format) {
  std::vector<std::optional<Days>> out;
  out.reserve(texts.size());
  for (const auto& text : texts) out.push_back(read_day(text, format));
  return out;
}

bool is_month(const std::optional<DateFormat>& format) {
  const auto has = [&](std::string_view directive) {
    return format && format->text().find(directive) != std::string::npos;
  };
  return has("%m") && !has("%d") && !has("%-d");
}

std::optional<DateFormat> month_format(const std::vector<std::string_view>& texts) {
  for (const char* text : {"%Y-%m", "%Y/%m", "%Y.%m", "%Y%m"}) {
    auto format = DateFormat::parse(text);
    const auto day = DateFormat::parse("%y%m%d");
    const size_t length = text[2] == '%' ? 6 : 7;
    const auto fits = [&](std::string_view one) { return one.size() == length && format->read(one); };
    if (texts.empty() || !std::ranges::all_of(texts, fits)) continue;
    if (length == 6 &&
        std::ranges::any_of(texts, [&](std::string_view one) { return day->read(one).has_value(); }))
      return std::nullopt;
    return std::move(*format);
  }
  return std::nullopt;
}

std::optional<std::string> format_of_date(std::string_view text) {
  DateLayout layout;
  if (!read(text, layout) || !layout.offset.empty() || layout.decimals > 6 ||
      without_blanks(text).size() != text.size())
    return std::nullopt;
  std::string out;
  const std::string separator = layout.separator == 0 ? "" : std::string(1, layout.separator);
  if (layout.month_name)
    out = "%d" + separator + "%b" + separator + "%Y";
  else
    out = "%Y" + separator + "%m" + separator + "%d";
  if (layout.point_zero) out += ".0";
  if (layout.time_separator != 0) out += std::string(1, layout.time_separator) + "%H:%M";
  if (layout.seconds) out += ":%S";
  if (layout.decimals > 0) out += ".%f";
  return out;
}

std::string write_date_like(std::string_view example, double seconds) {
  DateLayout layout;
  read(example, layout);
  const double scale = std::pow(10.0, static_cast<double>(layout.decimals));
  const double whole_days = std::floor(seconds / 86400);
  // What the example has no place for is cut off, so that the day stays.
  auto parts = static_cast<int64_t>(std::floor((seconds - whole_days * 86400) * scale + 1e-3));
  const std::chrono::year_month_day day{day_at(seconds)};
  const int year = int{day.year()};
  const unsigned month = unsigned{day.month()}, of_month = unsigned{day.day()};
  const std::string separator = layout.separator == 0 ? "" : std::string(1, layout.separator);
  std::string out;
  if (layout.month_name) {
    std::string name(kMonths[month - 1].substr(0, 3));
    for (size_t i = 0; i < name.size(); ++i) {
      if (layout.month[i] == upper(layout.month[i])) name[i] = upper(name[i]);
    }
    out = fmt::format("{:0{}}", of_month, layout.one_digit_day ? 1 : 2) + separator + name + separator +
          fmt::format("{:04}", year);
  } else {
    out = fmt::format("{:04}{}{:02}{}{:02}{}", year, separator, month, separator, of_month,
                      layout.point_zero ? ".0" : "");
  }
  if (layout.time_separator == 0) return out;
  const auto per_second = static_cast<int64_t>(scale);
  const int64_t fraction = parts % per_second;
  parts /= per_second;
  out += fmt::format("{}{:02}:{:02}", layout.time_separator, parts / 3600, parts / 60 % 60);
  if (layout.seconds) out += fmt::format(":{:02}", parts % 60);
  if (layout.decimals > 0) out += fmt::format(".{:0{}}", fraction, layout.decimals);
  return out + std::string(layout.offset);
}

double date_step(std::string_view example) {
  DateLayout layout;
  read(example, layout);
  if (layout.time_separator == 0) return 86400;
  return layout.seconds ? std::pow(10.0, -static_cast<double>(layout.decimals)) : 60;
}

bool has_year_last(std::string_view text) { return YearLast::find(text).has_value(); }

std::string why_no_date(std::string_view text, const std::optional<DateFormat>& format) {
  if (format) return fmt::format(" is no date of the format '{}'", format->text());
  const auto found = YearLast::find(text);
  if (!found)
    return " is no date that is read without a format (2024-05-31, 2024/05/31, 20240531, 31MAY2024, with or "
           "without a time)";
  const auto iso = [](double seconds) { return write_date_like("2024-05-31", seconds); };
  const std::string formats =
      fmt::format("a dataset spec says which is meant, with format = \"%d{0}%m{0}%Y\" or \"%m{0}%d{0}%Y\"",
                  found->separator);
  if (found->day_first && found->month_first && *found->day_first != *found->month_first) {
    return fmt::format(" is {} or {}: {}", iso(*found->day_first), iso(*found->month_first), formats);
  }
  return fmt::format(" has the year last, as dates that can be read in two ways: {}", formats);
}

}  // namespace maeil::table
