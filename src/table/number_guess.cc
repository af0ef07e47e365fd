// Each value is held against every style: what fits a style with a decimal comma and none with a point is
// evidence of the comma, and the other way round; what fits both says nothing.
#include "table/number_guess.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "format/csv.h"

namespace maeil::table {
namespace {

using format::NumberFit;
using format::NumberStyle;

constexpr std::array<char, 3> kBetween = {'.', ' ', '\''};  // thousands, where the decimal sign is a comma

bool fits(const std::string& text, NumberStyle style, std::string& plain) {
  const NumberFit fit = format::fit_number(text, style, plain);
  return fit == NumberFit::kPlain || fit == NumberFit::kStyled;
}

// What the values of a column say.
struct Evidence {
  size_t values = 0, numbers = 0;            // numbers: of any style
  size_t comma = 0, point = 0;               // that fit only a style with this decimal sign
  std::array<size_t, kBetween.size()> with;  // that fit the comma and this between thousands
  char between = '\0';                       // a blank or an apostrophe between thousands
  std::string either;                        // the first that has a sign and fits both
};

Evidence look_at(const std::vector<std::string>& values, std::optional<char> thousands) {
  Evidence out{.with = {}};
  std::string plain;
  for (const auto& text : values) {
    ++out.values;
    bool point = fits(text, {'.', ','}, plain) || fits(text, {'.', '\0'}, plain), comma = false;
    for (const char sign : {' ', '\''}) {
      if (point || !fits(text, {'.', sign}, plain)) continue;
      point = true;
      if (out.between == '\0') out.between = sign;
    }
    for (size_t k = 0; k < kBetween.size(); ++k) {
      if (thousands && *thousands != '\0' && *thousands != kBetween[k]) continue;
      const bool fit = fits(text, {',', thousands == '\0' ? '\0' : kBetween[k]}, plain);
      out.with[k] += fit;
      comma |= fit;
    }
    out.numbers += point || comma;
    out.comma += comma && !point;
    out.point += point && !comma;
    if (comma && point && text.find_first_of(".,") != std::string::npos && out.either.empty())
      out.either = text;
  }
  return out;
}

// The style with a decimal comma that most values fit.
NumberStyle comma_style(const Evidence& evidence, std::optional<char> thousands) {
  const auto most = std::ranges::max_element(evidence.with);
  return {',', thousands.value_or(kBetween[static_cast<size_t>(most - evidence.with.begin())])};
}

tl::unexpected<Error> two_readings(const std::string& file, const NumberSample& column,
                                   const std::string& text) {
  std::string grouped, plain;
  for (const char c : text) {
    if (c != '.' && c != ',') grouped += c;
    plain += c == ',' ? '.' : c;
  }
  const bool comma = text.find(',') != std::string::npos;
  return bad_input(fmt::format(
      "{}: column '{}': '{}' is {} or {}, and no value of the column tells which: say {} in [read] of the "
      "dataset spec",
      file, column.name, format::clip_utf8(text, 40), grouped, plain,
      comma ? "decimal = \",\" or thousands = \",\"" : "decimal = \",\" or decimal = \".\""));
}

}  // namespace

Result<std::vector<NumberStyle>> number_styles(const std::vector<NumberSample>& columns, const ReadSpec& said,
                                               bool commas_separate, const std::string& file) {
  std::vector<NumberStyle> out(columns.size());
  const bool guess = !said.decimal && said.thousands != ',' && !commas_separate;
  std::vector<Evidence> seen;
  bool comma = said.decimal == ',', point = false;  // of the file
  for (const auto& column : columns) {
    Evidence& one = seen.emplace_back(look_at(column.values, said.thousands));
    if (column.known ? one.numbers == 0 : one.numbers < one.values || one.values == 0) one = {.with = {}};
    comma |= guess && one.comma > 0 && one.point == 0;
    point |= one.point > 0;
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    const Evidence& one = seen[c];
    if (!columns[c].known && one.values == 0) continue;
    if (said.decimal == ',') {
      if (columns[c].known || one.comma > 0 || !one.either.empty()) out[c] = comma_style(one, said.thousands);
    } else if (!guess) {
      if (columns[c].known) out[c].thousands = said.thousands.value_or('\0');
    } else if (one.comma > 0 && one.point == 0) {
      out[c] = comma_style(one, said.thousands);
    } else if (one.comma == 0 && one.point == 0 && !one.either.empty()) {
      // Another column may tell, if no column tells otherwise.
      const bool has_comma = one.either.find(',') != std::string::npos;
      if (!comma && !has_comma) continue;  // "1.234" where all decimals are points
      if (!comma || point || !has_comma) return two_readings(file, columns[c], one.either);
      out[c] = comma_style(one, said.thousands);
    } else if (columns[c].known && comma && !point && one.comma == 0) {
      out[c] = comma_style(one, said.thousands);
    } else if (columns[c].known) {
      out[c].thousands = said.thousands.value_or(one.between);
    }
  }
  return out;
}

}  // namespace maeil::table
