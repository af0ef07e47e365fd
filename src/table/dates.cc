#include "table/dates.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace maeil::table {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"january", "february", "march",     "april",   "may",      "june",
                                                      "july",    "august",   "september", "october", "november", "december"};

struct Civil {
  int year = 1900, month = 1, day = 1, hour = 0, minute = 0;
  double second = 0;
};

// Seconds since 1970-01-01; nothing where there is no such day or time.
std::optional<double> seconds_since_1970(const Civil& t) {
  if (t.year < 1 || t.month < 1 || t.day < 1 || t.hour > 23 || t.minute > 59 || t.second >= 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{t.year}, std::chrono::month(static_cast<unsigned>(t.month)),
                                         std::chrono::day(static_cast<unsigned>(t.day))};
  if (!date.ok()) return std::nullopt;
  const auto days = static_cast<int64_t>(Days{date}.time_since_epoch().count());
  return static_cast<double>(days * 86400 + t.hour * 3600 + t.minute * 60) + t.second;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `least` to `most` digits off the text; -1 where they are not there.
int take_digits(std::string_view& text, size_t least, size_t most) {
  size_t n = 0;
  int value = 0;
  while (n < most && n < text.size() && is_digit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n < least) return -1;
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// Takes a month's name, or its first `length` letters, off the text: 1..12, or -1.
int take_month(std::string_view& text, size_t length) {
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

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// How a date that needs no format is written.
struct Layout {
  bool month_name = false, one_digit_day = false, point_zero = false;
  std::string_view month;      // the example's letters
  char separator = 0;          // between the parts of the day; 0: none
  char time_separator = 0;     // before the time; 0: there is none
  bool seconds = false;
  size_t decimals = 0;         // of the seconds
  std::string_view offset;
};

bool take_day(std::string_view& text, Civil& t, Layout& layout) {
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

bool take_time(std::string_view& text, Civil& t, Layout& layout) {
  layout.time_separator = text.front();
  if (layout.time_separator != 'T' && layout.time_separator != ' ' && !(layout.month_name && layout.time_separator == ':')) return false;
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
      for (; layout.decimals < text.size() && is_digit(text[layout.decimals]); ++layout.decimals, place /= 10) {
        t.second += place * (text[layout.decimals] - '0');
      }
      if (layout.decimals == 0 || layout.decimals > 9) return false;
      text.remove_prefix(layout.decimals);
    }
  }
  layout.offset = text;
  return t.hour >= 0 && t.minute >= 0 && (text.empty() || take_offset(text));
}

std::optional<double> read(std::string_view text, Layout& layout) {
  if (text.empty()) return std::nullopt;
  Civil t;
  if (!is_digit(text.front()) || !is_digit(text.back())) text = without_blanks(text);
  if (!take_day(text, t, layout) || (!text.empty() && !take_time(text, t, layout)) || !text.empty()) return std::nullopt;
  return seconds_since_1970(t);
}

// What a text with the year last can mean, seconds since 1970; a reading that is no day is none.
struct YearLast {
  char separator = 0;
  std::optional<double> day_first, month_first;

  static std::optional<YearLast> find(std::string_view text) {
    text = without_blanks(text);
    const int first = take_digits(text, 1, 2);
    if (first < 1 || text.empty() || std::string_view("/-. ").find(text.front()) == std::string_view::npos) return std::nullopt;
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

Result<DateFormat> DateFormat::parse(std::string_view format) {
  DateFormat out;
  out.text_ = format;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.parts_.push_back({0, format[i]});
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '-') ++i;
    const char directive = ++i < format.size() ? format[i] : '\0';
    if (directive == '%') out.parts_.push_back({0, '%'});
    else if (directive != 0 && std::string_view("YymdbBHMSf").find(directive) != std::string_view::npos) out.parts_.push_back({directive, 0});
    else return bad_input(fmt::format("the date format '{}' has a directive that is not known: only %Y %y %m %d %b %B %H %M %S %f are", format));
  }
  return out;
}

std::optional<double> DateFormat::read(std::string_view text) const {
  Civil t;
  for (const auto& part : parts_) {
    int value = 0;
    switch (part.directive) {
      case 0:
        if (!take(text, part.literal)) return std::nullopt;
        break;
      case 'Y': value = t.year = take_digits(text, 4, 4); break;
      case 'y':
        value = take_digits(text, 2, 2);
        t.year = value + (value < 69 ? 2000 : 1900);  // POSIX
        break;
      case 'm': value = t.month = take_digits(text, 1, 2); break;
      case 'd': value = t.day = take_digits(text, 1, 2); break;
      case 'b': value = t.month = take_month(text, 3); break;
      case 'B': value = t.month = take_month(text, std::string_view::npos); break;
      case 'H': value = t.hour = take_digits(text, 1, 2); break;
      case 'M': value = t.minute = take_digits(text, 1, 2); break;
      case 'S':
        value = take_digits(text, 1, 2);
        t.second += value;
        break;
      default: {  // %f
        const size_t before = text.size();
        value = take_digits(text, 1, 6);
        t.second += value * std::pow(10.0, -static_cast<double>(before - text.size()));
      }
    }
    if (value < 0) return std::nullopt;
  }
  return text.empty() ? seconds_since_1970(t) : std::nullopt;
}

bool DateFormat::has_year() const {
  for (const auto& part : parts_) {
    if (part.directive == 'Y' || part.directive == 'y') return true;
  }
  return false;
}

bool DateFormat::is_plain() const {
  static constexpr std::pair<char, std::string_view> kSamples[] = {{'Y', "2001"}, {'y', "01"}, {'m', "02"}, {'d', "13"}, {'b', "Feb"},
                                                                   {'B', "February"}, {'H', "04"}, {'M', "05"}, {'S', "06"}, {'f', "7"}};
  std::string sample;
  for (const auto& part : parts_) {
    if (part.directive == 0) sample += part.literal;
    for (const auto& [directive, text] : kSamples) {
      if (part.directive == directive) sample += text;
    }
  }
  const auto own = read(sample), plain = read_date(sample);
  return own && plain && *own == *plain;
}

std::optional<double> read_date(std::string_view text) {
  Layout layout;
  return read(text, layout);
}

std::optional<double> read_date(std::string_view text, const std::optional<DateFormat>& format) {
  return format ? format->read(text) : read_date(text);
}

std::optional<Days> read_day(std::string_view text, const std::optional<DateFormat>& format) {
  const auto seconds = read_date(text, format);
  if (!seconds) return std::nullopt;
  return Days{std::chrono::days(static_cast<int>(std::floor(*seconds / 86400)))};
}

std::optional<std::string> format_of_date(std::string_view text) {
  Layout layout;
  if (!read(text, layout) || !layout.offset.empty() || layout.decimals > 6 || without_blanks(text).size() != text.size()) return std::nullopt;
  std::string out;
  const std::string separator = layout.separator == 0 ? "" : std::string(1, layout.separator);
  if (layout.month_name) out = "%d" + separator + "%b" + separator + "%Y";
  else out = "%Y" + separator + "%m" + separator + "%d";
  if (layout.point_zero) out += ".0";
  if (layout.time_separator != 0) out += std::string(1, layout.time_separator) + "%H:%M";
  if (layout.seconds) out += ":%S";
  if (layout.decimals > 0) out += ".%f";
  return out;
}

std::string write_date_like(std::string_view example, double seconds) {
  Layout layout;
  read(example, layout);
  const double scale = std::pow(10.0, static_cast<double>(layout.decimals));
  const double whole_days = std::floor(seconds / 86400);
  // What the example has no place for is cut off, so that the day stays.
  auto parts = static_cast<int64_t>(std::floor((seconds - whole_days * 86400) * scale + 1e-3));
  const std::chrono::year_month_day day{Days{std::chrono::days(static_cast<int>(whole_days))}};
  const int year = int{day.year()};
  const unsigned month = unsigned{day.month()}, of_month = unsigned{day.day()};
  const std::string separator = layout.separator == 0 ? "" : std::string(1, layout.separator);
  std::string out;
  if (layout.month_name) {
    std::string name(kMonths[month - 1].substr(0, 3));
    for (size_t i = 0; i < name.size(); ++i) {
      if (layout.month[i] == upper(layout.month[i])) name[i] = upper(name[i]);
    }
    out = fmt::format("{:0{}}", of_month, layout.one_digit_day ? 1 : 2) + separator + name + separator + fmt::format("{:04}", year);
  } else {
    out = fmt::format("{:04}{}{:02}{}{:02}{}", year, separator, month, separator, of_month, layout.point_zero ? ".0" : "");
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
  Layout layout;
  read(example, layout);
  if (layout.time_separator == 0) return 86400;
  return layout.seconds ? std::pow(10.0, -static_cast<double>(layout.decimals)) : 60;
}

bool has_year_last(std::string_view text) { return YearLast::find(text).has_value(); }

std::string why_no_date(std::string_view text, const std::optional<DateFormat>& format) {
  if (format) return fmt::format(" is no date of the format '{}'", format->text());
  const auto found = YearLast::find(text);
  if (!found) return " is no date that is read without a format (2024-05-31, 2024/05/31, 20240531, 31MAY2024, with or without a time)";
  const auto iso = [](double seconds) { return write_date_like("2024-05-31", seconds); };
  const std::string formats = fmt::format("a dataset spec says which is meant, with format = \"%d{0}%m{0}%Y\" or \"%m{0}%d{0}%Y\"", found->separator);
  if (found->day_first && found->month_first && *found->day_first != *found->month_first) {
    return fmt::format(" is {} or {}: {}", iso(*found->day_first), iso(*found->month_first), formats);
  }
  return fmt::format(" has the year last, as dates that can be read in two ways: {}", formats);
}

}  // namespace maeil::table
