// Rules between the columns of one row, which rows that were drawn or perturbed must keep ("constraints" of a model's JSON).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/table.h"

namespace maeil::table {

// order: columns[0] <= columns[1] where both are there (they swap values where they do not); two columns of numbers, or two of dates
// sum:   columns[0] = columns[1] + columns[2] + ...; missing when one of the others is
// only_when: columns[0] is there only in rows where the text column columns[1] has the value `equals`
struct Constraint {
  enum class Kind { kOrder, kSum, kOnlyWhen };
  Kind kind = Kind::kOrder;
  std::vector<std::string> columns;
  std::string equals;
};

std::string_view to_string(Constraint::Kind kind);  // "order", "sum", "only_when"
std::optional<Constraint::Kind> parse_constraint_kind(std::string_view text);

// "" or what is wrong: too few columns, one column twice, two constraints that would undo each other (a column written by one
// and used by an earlier one).
std::string check_constraints(const std::vector<Constraint>& constraints);

// Makes every row keep them, in their order: values that were rounded before stay rounded, and a sum is rounded to 12 decimals less
// the places before its point, which undoes the last bit's noise. kBadInput: a column that is not there or of the wrong type.
Status apply_constraints(const std::vector<Constraint>& constraints, Table& rows);

// How many rows break the constraint; a sum may be off by 1e-9 of its size.
Result<size_t> count_broken(const Constraint& constraint, const Table& rows);

}  // namespace maeil::table
