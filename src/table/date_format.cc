// A format is a list of directives and literal characters, matched from the front without going back, as
// strptime does.
#include "table/date_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "table/date_parts.h"
#include "table/dates.h"

namespace maeil::table {

using namespace date_parts;

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
    if (directive == '%')
      out.parts_.push_back({0, '%'});
    else if (directive != 0 && std::string_view("YymdbBHMSf").find(directive) != std::string_view::npos)
      out.parts_.push_back({directive, 0});
    else
      return bad_input(fmt::format(
          "the date format '{}' has a directive that is not known: only %Y %y %m %d %b %B %H %M %S %f are",
          format));
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
      case 'Y':
        value = t.year = take_digits(text, 4, 4);
        break;
      case 'y':
        value = take_digits(text, 2, 2);
        t.year = value + (value < 69 ? 2000 : 1900);  // POSIX
        break;
      case 'm':
        value = t.month = take_digits(text, 1, 2);
        break;
      case 'd':
        value = t.day = take_digits(text, 1, 2);
        break;
      case 'b':
        value = t.month = take_month(text, 3);
        break;
      case 'B':
        value = t.month = take_month(text, std::string_view::npos);
        break;
      case 'H':
        value = t.hour = take_digits(text, 1, 2);
        break;
      case 'M':
        value = t.minute = take_digits(text, 1, 2);
        break;
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

std::string DateFormat::write(double seconds, std::string_view example) const {
  const double whole_days = std::floor(seconds / 86400);
  const std::chrono::year_month_day day{day_at(seconds)};
  constexpr int64_t kLast = 86'399'999'999;  // of a day: its rounded end is not 24:00:00
  const auto rest =
      std::min(static_cast<int64_t>(std::floor((seconds - whole_days * 86400) * 1e6 + 0.5)), kLast);
  const int year = int{day.year()};
  const unsigned month = unsigned{day.month()};
  std::string out;
  for (const auto& part : parts_) {
    switch (part.directive) {
      case 0:
        out += part.literal;
        break;
      case 'Y':
        out += fmt::format("{:04}", year);
        break;
      case 'y':
        out += fmt::format("{:02}", year % 100);
        break;
      case 'm':
        out += fmt::format("{:02}", month);
        break;
      case 'd':
        out += fmt::format("{:02}", unsigned{day.day()});
        break;
      case 'b':
      case 'B': {
        const std::string_view name = kMonths[month - 1];
        out += upper(name[0]);
        out += name.substr(1, part.directive == 'b' ? 2 : std::string_view::npos);
        break;
      }
      case 'H':
        out += fmt::format("{:02}", rest / 3'600'000'000);
        break;
      case 'M':
        out += fmt::format("{:02}", rest / 60'000'000 % 60);
        break;
      case 'S':
        out += fmt::format("{:02}", rest / 1'000'000 % 60);
        break;
      default:
        out += fmt::format("{:06}", rest % 1'000'000);
    }
  }
  const auto has = [&](char first, char last) {
    return std::ranges::any_of(example, [&](char c) { return c >= first && c <= last; });
  };
  const bool capitals = has('A', 'Z'), small = has('a', 'z');
  for (char& c : out) {
    if (capitals && !small) c = upper(c);
    if (small && !capitals && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool DateFormat::has_year() const {
  for (const auto& part : parts_) {
    if (part.directive == 'Y' || part.directive == 'y') return true;
  }
  return false;
}

bool DateFormat::is_plain() const {
  static constexpr std::pair<char, std::string_view> kSamples[] = {
      {'Y', "2001"},     {'y', "01"}, {'m', "02"}, {'d', "13"}, {'b', "Feb"},
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

}  // namespace maeil::table
