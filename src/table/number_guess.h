// How the numbers of a file's columns are written, from a sample of their values: with a decimal point or a
// decimal comma, and what stands between thousands.
//
// A decimal comma is found only where commas separate no fields and a value of the column can be nothing
// else: "0,5", "1.234,56". What is either, "1,234" alone, is refused with both readings.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "format/field_rules.h"
#include "table/read_spec.h"

namespace maeil::table {

struct NumberSample {
  std::string name;
  bool known = false;               // to be a number; else it is one where every value is
  std::vector<std::string> values;  // that are not missing
};

// (columns). `commas_separate`: the file's fields are separated by commas, so nothing is guessed. kBadInput,
// called by `file`: numbers that can be read in two ways.
Result<std::vector<format::NumberStyle>> number_styles(const std::vector<NumberSample>& columns,
                                                       const ReadSpec& said, bool commas_separate,
                                                       const std::string& file);

}  // namespace maeil::table
