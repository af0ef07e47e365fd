// Rules between the columns of one row, which rows that were drawn or perturbed must keep ("constraints" of a
// model's JSON).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/rounding.h"
#include "table/table.h"

namespace maeil::table {

// order: columns[0] <= columns[1] in rows where both are there; two columns of numbers, or two of dates
// sum:   columns[0] = columns[1] + columns[2] + ... in rows where all are there; with a `total`, that number
// is the sum of all columns only_when: columns[0] is there only in rows where the text column columns[1] has
// the value `equals`; "": where columns[1] is there
struct Constraint {
  enum class Kind { kOrder, kSum, kOnlyWhen };
  Kind kind = Kind::kOrder;
  std::vector<std::string> columns;
  std::string equals;
  std::optional<double> total = {};
  std::string place = {};  // "spec.toml:13" where it was read, for messages; not part of a model
};

std::string_view to_string(Constraint::Kind kind);  // "order", "sum", "only_when"
std::optional<Constraint::Kind> parse_constraint_kind(std::string_view text);
// "order: low <= high", "sum: total = a + b", "only_when: fee when class is 'Y'"
std::string describe(const Constraint& constraint);

// "" or what is wrong: too few columns, one column twice, orders that go round in a circle, sums whose totals
// do. The constraints' own order means nothing.
std::string check_constraints(const std::vector<Constraint>& constraints);

// kBadInput, with the place, the key and the values that there are: an `equals` that no row of the column
// has, with which drawn rows would be emptied of columns[0].
Status check_values(const std::vector<Constraint>& constraints, const Table& rows);

// Makes every row keep all of them at once; a row that keeps them is not touched, and what a row becomes
// depends on that row alone. `ranges` belong to the columns of the table by place (those it is too short for:
// no digits, no ends); a moved value keeps its column's digits or date format. Where its ends leave no way it
// leaves them (constraint.cc says in which order). What is left broken: a sum whose parts all belong to other
// sums or orders that contradict it, where its total cannot be their sum either. kBadInput: a column that is
// not there or of the wrong type. REQUIRES: check_constraints(constraints) is "".
Status apply_constraints(const std::vector<Constraint>& constraints, Table& rows,
                         const std::vector<ValueRange>& ranges = {});

// How many rows break the constraint; a sum may be off by 1e-9 of its size.
Result<size_t> count_broken(const Constraint& constraint, const Table& rows);

}  // namespace maeil::table
