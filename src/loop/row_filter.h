// Rows of a source that meet conditions, and a value's share brought to what is asked: by rejection, at a bounded cost.
//
// Block b of the rows kept comes from block b of the source under seed, then under seeds derived from it, until it is full. So a
// row is a pure function of (source, conditions, date, seed, row number), in any range and on any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "loop/source.h"

namespace maeil::loop {

// COLUMN=VALUE; != for other values; <, <=, >, >= for numbers. An empty VALUE means missing; a missing value meets only that and !=.
struct Condition {
  enum class Test { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  std::string column;
  Test test = Test::kEqual;
  std::string value;
};
Result<Condition> parse_condition(std::string_view text);  // kUsage
std::string to_string(const Condition& condition);

// From the first kProbeRows rows it is seen whether a source can meet a condition: kProbeRowsNeeded at least, one row in 2,048.
inline constexpr uint64_t kProbeRows = 65536, kProbeRowsNeeded = 32;
// How many blocks are drawn for one at most: twice what the rarest condition that is accepted needs on average.
inline constexpr uint64_t kMostTries = 4096;

// kUsage: a column that is not there, a number where none can be, conditions that too few rows meet (it says how many).
Result<Source> keep_where(Source source, const std::vector<Condition>& conditions);

// Rows whose text column has `value` become `share` of all: rows of the more frequent kind are left out at random, so that all else
// hangs together as before. The share today is estimated from kProbeRows rows. kUsage as above, or a share outside (0, 1).
Result<Source> with_rate(Source source, const std::string& column, const std::string& value, double share);

}  // namespace maeil::loop
