// Drawn numbers that are written as text: dates in their column's own format, and keys that count the rows.
//
// Neither is a category: a date has as many values as its format can tell apart, and a key another one in
// every row. Values are data; a KeyPattern is immutable once made, so threads may share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace maeil::copula {

// The drawn number counts `unit` nanoseconds since 1970-01-01 00:00 UTC. `format` is strftime's, with
// Python's %f (microseconds, 6 digits).
struct DateForm {
  std::string format;
  int64_t unit = 1;
};

// The drawn number is not looked at. `pattern` is a regular expression: characters, classes, groups, \d \w \s
// and counts.
struct KeyForm {
  std::string pattern;
  int64_t start = 0;                    // row 0 is the start-th text of the pattern
  bool integer = false;                 // written as a whole number: no leading zeros
  std::string before = "", after = "";  // around it
};

using TextForm = std::variant<DateForm, KeyForm>;

// `nanoseconds` since 1970-01-01 00:00 UTC, as DateForm::format has it. REQUIRES: check_text_form holds for
// that format.
std::string date_text(const std::string& format, int64_t nanoseconds);

// "" where it is well formed, else what is wrong with it.
std::string check_text_form(const TextForm& form);

// The texts that a pattern matches, in the order of their last characters first, each once. A count without
// end means 16, and a count of a range its upper end. Where the rows outnumber the texts: "TEXT(0)",
// "TEXT(1)"..., so that no two rows are the same.
class KeyPattern {
 public:
  // kBadInput: malformed, or alternatives, which are not supported.
  static Result<KeyPattern> parse(std::string_view pattern);

  std::string text(uint64_t n) const;

 private:
  std::vector<std::string> places_;  // the characters that each place may have
};

// Writes rows as texts; one for each column of a sampler.
class TextDraw {
 public:
  explicit TextDraw(const TextForm& form);  // REQUIRES: check_text_form(form) is ""

  // codes and dictionary of the `numbers` of rows first_row, first_row + 1, ...; NaN is missing. Replaces
  // what they held.
  void operator()(uint64_t first_row, const std::vector<double>& numbers, std::vector<uint32_t>& codes,
                  std::vector<std::string>& dictionary) const;

 private:
  TextForm form_;
  std::optional<KeyPattern> pattern_;
};

}  // namespace maeil::copula
