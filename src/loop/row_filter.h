// Rows of a source that meet conditions, and a value's share brought to what is asked: by rejection, at a
// bounded cost.
//
// Block b of the rows kept comes from block b of the source under seed, then under seeds derived from it,
// until it is full. So a row is a pure function of (source, conditions, date, seed, row number), in any range
// and on any thread.
//
// Where the shares of a column's values are to be kept (Source::shares_of), row i of the block has the value
// of row i of the source's block under seed, and is the next row with that value that meets the conditions:
// the values are as they were drawn, whichever of them meets the conditions more often.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "loop/source.h"

namespace maeil::loop {

// COLUMN=VALUE; != for other values; <, <=, >, >= for numbers and dates (2024-05-31 or 31MAY2024, in
// whichever form the column has them). An empty VALUE means missing; a missing value meets only that and !=.
struct Condition {
  enum class Test { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  std::string column;
  Test test = Test::kEqual;
  std::string value;
  bool operator==(const Condition&) const = default;
};
Result<Condition> parse_condition(std::string_view text);  // kUsage
std::string to_string(const Condition& condition);
std::string to_string(const std::vector<Condition>& conditions);  // "a=1 and b<2"

// Whether a value of a text column meets it; "" is the missing one.
bool meets(const Condition& condition, const std::string& text);

// From the first kProbeRows rows it is seen whether a source can meet a condition: kProbeRowsNeeded at least,
// one row in 2,048. Where shares are to be kept the same goes for the rows of each value; up to
// kMostProbeRows are looked at while those of a value are few and do not meet it.
inline constexpr uint64_t kProbeRows = 65536, kProbeRowsNeeded = 32, kMostProbeRows = 16 * kProbeRows;
// How many blocks are drawn for one at most: twice what the rarest condition that is accepted needs on
// average.
inline constexpr uint64_t kMostTries = 4096;

// kUsage: a column that is not there, a number or a date where none can be, two values of one column at once,
// conditions that too few rows meet (it says how many).
Result<Source> keep_where(Source source, const std::vector<Condition>& conditions);

// Rows whose text column has `value` become `share` of all: rows of the more frequent kind are left out at
// random, so that all else hangs together as before. The share today is estimated from kProbeRows rows.
// kUsage as above, a share that cannot be had, or a share outside (0, 1).
Result<Source> with_rate(Source source, const std::string& column, const std::string& value, double share);

}  // namespace maeil::loop
