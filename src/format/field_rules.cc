#include "format/field_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/blanks.h"
#include "format/csv.h"

namespace maeil::format {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text) {
  return static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// The bytes of a sign between thousands at the start of the text; 0: there is none.
size_t group_sign(std::string_view text, char thousands) {
  if (thousands == '\0' || text.empty()) return 0;
  if (text[0] == thousands) return 1;
  constexpr std::string_view kBlanks[] = {"\u00a0", "\u202f", "\u2009"};
  constexpr std::string_view kApostrophes[] = {"\u2019"};
  const auto starts = [&](std::string_view sign) { return text.starts_with(sign); };
  const auto* found = thousands == ' ' ? std::ranges::find_if(kBlanks, starts) : std::end(kBlanks);
  if (found != std::end(kBlanks)) return found->size();
  return thousands == '\'' && starts(kApostrophes[0]) ? kApostrophes[0].size() : 0;
}

// The whole text as a number: sign, digits in groups or not, decimals, exponent.
NumberFit read_styled(std::string_view text, NumberStyle style, std::string& plain) {
  plain.clear();
  bool styled = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    if (text[0] == '-') plain += '-';
    text.remove_prefix(1);
  }
  size_t n = digits_at(text);
  const size_t first = n;
  const bool zero = text.starts_with('0');
  plain += text.substr(0, n);
  text.remove_prefix(n);
  // "0.123" has no thousands: nobody writes them behind a zero.
  for (size_t sign; first >= 1 && first <= 3 && !zero && (sign = group_sign(text, style.thousands)) > 0 &&
                    digits_at(text.substr(sign)) == 3;) {
    plain += text.substr(sign, 3);
    text.remove_prefix(sign + 3);
    styled = true;
  }
  if (!text.empty() && text[0] == style.decimal) {
    n = digits_at(text.substr(1));
    if (first + n == 0) return NumberFit::kNoNumber;
    plain += '.';
    plain += text.substr(1, n);
    text.remove_prefix(1 + n);
    styled |= style.decimal != '.';
  } else if (first == 0) {
    return NumberFit::kNoNumber;
  }
  if (text.size() > 1 && (text[0] == 'e' || text[0] == 'E')) {
    const size_t sign = text[1] == '-' || text[1] == '+';
    n = digits_at(text.substr(1 + sign));
    if (n > 0) {
      plain += text.substr(0, 1 + sign + n);
      text.remove_prefix(1 + sign + n);
    }
  }
  return !text.empty() ? NumberFit::kNoNumber : styled ? NumberFit::kStyled : NumberFit::kPlain;
}

}  // namespace

NumberFit fit_number(std::string_view text, NumberStyle style, std::string& plain) {
  text = without_blanks(text);
  const NumberFit fit = read_styled(text, style, plain);
  if (fit != NumberFit::kNoNumber) return fit;
  const bool digits = std::ranges::any_of(text, is_digit);
  const bool numeric = std::ranges::all_of(text, [](char c) {
    return is_digit(c) || c == '.' || c == ',' || c == '-' || c == '+' || c == 'e' || c == 'E';
  });
  return digits && numeric ? NumberFit::kOther : NumberFit::kNoNumber;
}

std::string apply_rules(const FieldRules& rules, std::vector<std::string_view>& fields,
                        std::deque<std::string>& owned) {
  std::string plain;
  for (size_t f = 0; f < fields.size(); ++f) {
    std::string_view& field = fields[f];
    if (field.empty()) continue;
    if (!rules.missing.empty() && rules.missing.contains(without_blanks(field))) {
      field = field.substr(0, 0);
      continue;
    }
    if (rules.styles.empty() || rules.styles[f].plain()) continue;
    const NumberFit fit = fit_number(field, rules.styles[f], plain);
    if (fit == NumberFit::kStyled) {
      field = owned.emplace_back(plain);
    } else if (fit == NumberFit::kOther) {
      return fmt::format(
          "column '{}': '{}' is no number with {}", rules.names[f], clip_utf8(field, 40),
          rules.styles[f].decimal == ',' ? "a decimal comma" : "such signs between its thousands");
    }
  }
  return {};
}

}  // namespace maeil::format
