// What is done to the fields of a row before anybody takes them for values: words for missing are emptied,
// and numbers with a decimal comma or with signs between thousands are written as programs read them.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace maeil::format {

// How the numbers of a column are written. Between thousands: ',', '.', ' ' (blanks of every width, the
// narrow and the unbreakable) or '\'' (the typographic one, too); '\0': nothing.
struct NumberStyle {
  char decimal = '.';
  char thousands = '\0';
  bool plain() const { return decimal == '.' && thousands == '\0'; }
  friend bool operator==(const NumberStyle&, const NumberStyle&) = default;
};

enum class NumberFit {
  kPlain,    // digits, a sign, an exponent: a number in every style
  kStyled,   // a number of the style alone
  kOther,    // made of what numbers are made of, and none of this style: "12.5" where the comma is decimal
  kNoNumber  // anything else
};
// Blanks around the text are left aside. `plain`: the number with a decimal point and nothing between
// thousands, where it is kStyled.
NumberFit fit_number(std::string_view text, NumberStyle style, std::string& plain);

struct FieldRules {
  std::set<std::string, std::less<>> missing;  // of all fields, blanks around them left aside
  std::vector<NumberStyle> styles;             // of each field; empty: all are plain
  std::vector<std::string> names;              // of each field, for messages

  bool empty() const { return missing.empty() && styles.empty(); }
};

// The fields of a row by the rules; what is written anew is kept in `owned`. "" or why the row is none:
// "column 'rate': '12.5' is no number with a decimal comma".
std::string apply_rules(const FieldRules& rules, std::vector<std::string_view>& fields,
                        std::deque<std::string>& owned);

}  // namespace maeil::format
