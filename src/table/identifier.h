// Columns that name rows or people (account numbers, e-mails, names) instead of saying something of them, and
// new values in their place.
//
// Such values are never learned: whoever has the model would have the book's accounts. A column is one, by
// its values:
//  - text, where more than half of the rows bear a value that fewer than kFewRows rows bear (pooling such
//    values, as is done with rare labels, would leave less than half of the column); or of 100 values or
//    more, where the name says so (below), or of 1,000 or more that all have one pattern (a customer's id in
//    each month of a loan);
//  - whole numbers, not negative, of ten rows a value at most, that are
//    a counter: where 0..n random draws from a range so narrow would have repeated values ten times as often
//      (the expected number of equal pairs, n^2 / 2 range, is 10 at least; amounts and scores do repeat);
//    or account numbers: all of one width of seven digits or more, three in four not ending in 0 (amounts
//      vary in width and are often round), and neither dates (YYYYMMDD...) nor seconds since 1970;
//    or named so: the last word of the column's name is id, no, nr, number, key, ... and there are two rows a
//      value at most, or more than half of the rows bear a value that fewer than kFewRows rows bear
//      (dependents_no is a quantity).
// Numbers with decimals and dates are nearly unique by nature and are none. With fewer than 20 rows nothing
// is said of numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/distinct_sample.h"

namespace maeil::table {

inline constexpr uint64_t kFewRows = 5;  // a value that fewer rows bear points at people

// `text` as it stands, or `count` characters of an alphabet.
struct PatternPart {
  std::string text;
  std::string alphabet;  // "": the text
  size_t count = 0;
};

// New values: the row's number, permuted by the seed, in the places of the pattern's alphabets. So no value
// comes twice (beyond rows_per_value) until the pattern is exhausted; then "-1", "-2" follow, or more digits.
struct IdentifierPattern {
  std::vector<PatternPart> parts;
  // of the last places as a number: the first that is used, above those of the data where all are digits
  uint64_t start = 0;
  double rows_per_value = 1;  // 2.5: two or three rows one after another share a value
};

struct Identifier {
  IdentifierPattern pattern;
  double values = 0;  // different ones
  uint64_t rows = 0;  // that are not missing
};

// Nothing where the column is none. `number`: it would be a number column. `always`: the metadata says that
// it is one. New values are none of the data's where the pattern has digits alone, and hardly ever (1 in
// 1,000) with letters. A counter, which tells nothing of the values, takes the place of a pattern where there
// are fewer than 20 values, no pattern or no room.
std::optional<Identifier> find_identifier(std::string_view name, bool number, bool always,
                                          const DistinctSample& values);

// "CUST-{6 digits}".
std::string describe(const IdentifierPattern& pattern);

// "digits", "upper", ...: the alphabets that a pattern may have, for files; "" when it is none.
std::string_view alphabet_name(std::string_view alphabet);
std::string_view alphabet_named(std::string_view name);

// kBadInput: no part, an alphabet that is none, more than 256 characters, a start beyond the places.
// `number`: for a number column, digits alone, 15 at most.
Status check_pattern(const IdentifierPattern& pattern, bool number);

// Immutable, so threads may share it. REQUIRES: check_pattern holds.
class IdentifierWriter {
 public:
  IdentifierWriter(const IdentifierPattern& pattern, uint64_t column);
  void write(uint64_t seed, uint64_t row, std::string& out) const;
  double number(uint64_t seed, uint64_t row) const;  // of a number column

 private:
  struct Place {
    uint64_t value;  // of the permuted number
    uint64_t round;  // how often the pattern was exhausted before
  };
  Place place_of(uint64_t seed, uint64_t row) const;

  IdentifierPattern pattern_;
  uint64_t column_, capacity_ = 1;
  size_t counted_ = 0;  // places from the right that hold the number
};

}  // namespace maeil::table
