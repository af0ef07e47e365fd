// Which column of a file can be a target, and which of its two values is the positive one: for drafting a
// dataset spec. A column can when its values, told apart as a target's are (table/target_value.h), are two.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/distinct_sample.h"
#include "table/infer.h"
#include "table/target_value.h"

namespace maeil::loop {

struct ValueRows {
  std::string value;  // as target_text has it
  uint64_t rows = 0;
};

struct TargetChoice {
  std::string column;
  ValueRows positive, negative;
  bool numbers = false;     // every value is a number
  bool was_chosen = false;  // the positive value: the rarer one, since nobody named it
};

// The column's values, fewest rows first; words for missing (NA ...) are none.
std::vector<ValueRows> target_values(const table::DistinctSample& values, table::TargetForms& forms);

// `positive` "": the rarer value, of two with as many rows the one that sounds like it (1, true, yes, bad
// ...). kBadInput, naming file, column and values: not two values, no row with the positive one.
Result<TargetChoice> choose_target(const std::string& column, const table::DistinctSample& values,
                                   const std::string& positive, const std::string& file);

// The columns with two values, the likelier ones first: those whose name says so (target, default, churn
// ...), then by how rare the positive value is.
std::vector<TargetChoice> propose_targets(const table::InferredColumns& columns);

}  // namespace maeil::loop
