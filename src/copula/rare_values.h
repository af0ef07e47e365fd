// What few rows bear is withheld before anything is learned: a value that fewer than kFewRows rows of the
// file bear points at people, and a model that holds it gives it away.
//
//  - A label: its rows are taken for rows of the column's most frequent label, so that drawn rows have labels
//    that the data have. A label of the target is refused: its rows would be learned, and drawn, as rows of
//    another class.
//  - A date: kFewRows or more rows next to each other in time get the mean day of the middle half of them
//    (microaggregation, Defays and Nanopoulos 1993), written as the first of them is; so the order and the
//    dependence stay, and a day is off by as much as the rows around it lie apart.
//  - A column with fewer than kFewRows values in all is empty.
//
// Numbers are smoothed in their marginals (column_fit.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/date_format.h"
#include "table/identifier.h"
#include "table/table.h"

namespace maeil::copula {

using table::kFewRows;

// A text column whose values are dates, which have an order. Its format, where it has one, is the only one
// that is read.
struct DateColumn {
  std::string name;
  std::optional<table::DateFormat> format;
};

struct RareValues {
  enum class Kind { kPooled, kDates, kEmptied };
  Kind kind;
  std::string column, into;  // kPooled: the label that the rows got
  size_t values, rows;       // kEmptied of a number: 0 values
};

// "3 labels of column X borne by fewer than 5 rows were pooled: ...": one sentence for people.
std::string describe(const RareValues& rare);

// Changes the columns of `all` but those in `generated`, on all threads; dictionaries keep only labels that
// occur. In the columns' order. kBadInput: a value of the target is borne by fewer than kFewRows rows, or no
// value of a text column that is no date by as many.
Result<std::vector<RareValues>> withhold_rare_values(Table& all, const std::string& target,
                                                     const std::vector<DateColumn>& dates,
                                                     const std::vector<bool>& generated);

}  // namespace maeil::copula
