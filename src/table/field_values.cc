#include "table/field_values.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <set>

namespace maeil::table {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"january", "february", "march",     "april",   "may",      "june",
                                                      "july",    "august",   "september", "october", "november", "december"};

struct Civil {
  int year = 1900, month = 1, day = 1, hour = 0, minute = 0;
  double second = 0;
};

// Seconds since 1970-01-01, the days counted in years that start in March; nothing where there is no such day.
std::optional<double> seconds_since_1970(const Civil& t) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = t.year % 4 == 0 && (t.year % 100 != 0 || t.year % 400 == 0);
  if (t.year < 1 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > kDays[t.month - 1] + (leap && t.month == 2) || t.hour > 23 || t.minute > 59 || t.second >= 60)
    return std::nullopt;
  const int y = t.year - (t.month <= 2), shifted = (t.month + 9) % 12;
  const int64_t days = int64_t{365} * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + t.day - 1 - 719468;
  return static_cast<double>(days * 86400 + t.hour * 3600 + t.minute * 60) + t.second;
}

// Takes `least` to `most` digits off the text; -1 where they are not there.
int take_digits(std::string_view& text, size_t least, size_t most) {
  size_t n = 0;
  int value = 0;
  while (n < most && n < text.size() && text[n] >= '0' && text[n] <= '9') value = value * 10 + (text[n++] - '0');
  if (n < least) return -1;
  text.remove_prefix(n);
  return value;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

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

}  // namespace

bool is_missing(std::string_view text) {
  static const std::set<std::string_view> kTexts = {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
                                                    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"};
  return text.empty() || (text.size() <= 8 && kTexts.contains(text));
}

std::optional<double> read_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool loses_digits(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return true;
  const auto number = read_number(text);
  return number && *number > 9007199254740992.0 && text.find_first_of(".eE") == std::string_view::npos;
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text == "True" || text == "TRUE" || text == "true") return true;
  if (text == "False" || text == "FALSE" || text == "false") return false;
  return std::nullopt;
}

Result<DateFormat> DateFormat::parse(std::string_view format) {
  DateFormat out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.parts_.push_back({0, format[i]});
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '-') ++i;
    const char directive = ++i < format.size() ? format[i] : 0;
    if (directive == '%') out.parts_.push_back({0, '%'});
    else if (directive != 0 && std::string_view("YymdbBHMSf").find(directive) != std::string_view::npos) out.parts_.push_back({directive, 0});
    else return bad_input(fmt::format("the datetime_format '{}' has a directive that is not known: only %Y %y %m %d %b %B %H %M %S %f are", format));
  }
  return out;
}

std::optional<double> DateFormat::read(std::string_view text) const {
  Civil t;
  for (const auto& part : parts_) {
    int value = 0;
    switch (part.directive) {
      case 0:
        if (text.empty() || text.front() != part.literal) return std::nullopt;
        text.remove_prefix(1);
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

std::optional<double> read_date(std::string_view text) {
  static const DateFormat kDay = *DateFormat::parse("%Y-%m-%d"), kTime = *DateFormat::parse("%Y-%m-%d %H:%M:%S"),
                          kIsoTime = *DateFormat::parse("%Y-%m-%dT%H:%M:%S"), kSas = *DateFormat::parse("%d%b%Y");
  if (text.size() == 9) return kSas.read(text);
  if (text.size() == 10) return kDay.read(text);
  if (text.size() != 19) return std::nullopt;
  return text[10] == 'T' ? kIsoTime.read(text) : kTime.read(text);
}

}  // namespace maeil::table
