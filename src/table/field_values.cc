// Numbers are fast_float's; what stands around and between their digits is judged here, character by
// character.
#include "table/field_values.h"

#include <fast_float/fast_float.h>

#include <cmath>
#include <set>

namespace maeil::table {
namespace {

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return text;
}

size_t leading_digits(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && is_ascii_digit(text[n])) ++n;
  return n;
}

// Takes "1,234,567" off the text, with `separator` between groups of three digits: the number of separators,
// or -1.
int take_groups(std::string_view& text, char separator) {
  size_t n = leading_digits(text);
  if (n == 0) return -1;
  const bool short_first = n <= 3;
  text.remove_prefix(n);
  int groups = 0;
  for (; short_first && text.size() >= 4 && text[0] == separator && (n = leading_digits(text.substr(1))) == 3;
       ++groups)
    text.remove_prefix(4);
  return groups;
}

}  // namespace

bool is_missing(std::string_view text) {
  static const std::set<std::string_view> kTexts = {
      "",     "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
      "<NA>", "N/A",  "NA",       "NULL", "NaN",     "None",     "n/a",  "nan",  "null"};
  return text.empty() || (text.size() <= 8 && kTexts.contains(text));
}

std::optional<double> read_number(std::string_view text) {
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) text = without_blanks(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> read_grouped_number(std::string_view text) {
  text = without_blanks(text);
  std::string_view left = without_sign(text);
  // "0,123" is no 123: nobody writes thousands behind a zero.
  if (left.size() > 40 || left.starts_with('0') || take_groups(left, ',') < 1) return std::nullopt;
  if (!left.empty() && (left[0] != '.' || leading_digits(left.substr(1)) != left.size() - 1))
    return std::nullopt;
  std::string plain;
  for (const char c : text) {
    if (c != ',') plain += c;
  }
  return read_number(plain);
}

bool is_surely_grouped(std::string_view text) {
  const size_t comma = text.find(',');
  return read_grouped_number(text) && text.find_first_of(",.", comma + 1) != std::string_view::npos;
}

bool has_decimal_comma(std::string_view text) {
  text = without_sign(without_blanks(text));
  const int points = take_groups(text, '.');
  if (points < 0) return false;
  if (text.empty()) return points > 1;
  return text[0] == ',' && text.size() > 1 && leading_digits(text.substr(1)) == text.size() - 1;
}

bool looks_like_number(std::string_view text) {
  static constexpr std::string_view kSigns[] = {"-",
                                                "+",
                                                "$",
                                                "%",
                                                "(",
                                                ")",
                                                " ",
                                                ",",
                                                ".",
                                                "'",
                                                "_",
                                                "\xc2\xa0",
                                                "\xe2\x82\xac",
                                                "\xc2\xa3",
                                                "\xc2\xa5",
                                                "\xe2\x82\xa9",
                                                "\xe2\x80\xaf",
                                                "\xec\x9b\x90"};
  size_t digits = 0, signs = 0;
  bool inside = false;  // a sign of the number's ends between two digits
  bool end_sign = false;
  while (!text.empty()) {
    if (is_ascii_digit(text.front())) {
      inside |= digits > 0 && end_sign;
      ++digits;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view* found = nullptr;
    for (const auto& sign : kSigns) {
      if (text.starts_with(sign)) found = &sign;
    }
    if (!found) return false;
    end_sign |= digits > 0 && std::string_view("-+$%()").find(found->front()) != std::string_view::npos;
    ++signs;
    text.remove_prefix(found->size());
  }
  return digits > 0 && signs > 0 && !inside;
}

bool loses_digits(std::string_view text) {
  text = without_sign(without_blanks(text));
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return true;
  if (text.find_first_of(".eE") != std::string_view::npos) return false;
  const auto grouped = read_grouped_number(text);
  const auto number = grouped ? grouped : read_number(text);
  // 2^53 + 1 is read as 2^53, so of what is read as that only its own text is safe.
  return number && *number >= 9007199254740992.0 && text != "9007199254740992" &&
         text != "9,007,199,254,740,992";
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text == "True" || text == "TRUE" || text == "true") return true;
  if (text == "False" || text == "FALSE" || text == "false") return false;
  return std::nullopt;
}

}  // namespace maeil::table
