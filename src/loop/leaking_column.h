// Whether one column alone tells the classes of a target apart: what is known only afterwards (a recovery, a
// closing date, a copy of the label) and would not be there on the day that a row is scored.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace maeil::loop {

inline constexpr double kLeakingAuc = 0.99;
// Rows of a class below which nothing is said: with ten, chance alone orders them behind ten others in one
// column of 184,756.
inline constexpr size_t kLeakRows = 10;

// A column's values in rows of known class, as (B) numbers: a text as a number of its own (its hash), a date
// as its day, NaN where missing.
struct ColumnSample {
  bool ordered = true;  // numbers and dates
  std::vector<double> values;
};

// How well the column alone orders the rows by class, as the area under the ROC curve from 0.5 to 1: by its
// value, the missing ones first or last; or, where it is no order or has kMostCategories values at most, by
// the rate of each value in the other half of the rows, so that values of one row each say nothing. Nothing
// where a class has fewer than kLeakRows rows. O(B log B).
inline constexpr size_t kMostCategories = 64;
std::optional<double> separation(const ColumnSample& column, const std::vector<uint8_t>& labels);

}  // namespace maeil::loop
