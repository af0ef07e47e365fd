// SDMetrics' DiagnosticReport of one table, by the definitions of SDMetrics 0.32.0: is the synthetic data
// valid at all?
//
// Data Validity, a mean over columns and metrics:
//   BoundaryAdherence (numbers, dates): share of the synthetic values in [min, max] of the real ones, or in
//     the metadata's range_min, range_max; where the real column has missing values (or range_is_nullable
//     says so) missing ones are left out, else they are outside.
//   CategoryAdherence (categories, booleans): share of the synthetic values that the real column, or
//     range_values, has; missing ones are inside where the real column has some, or by range_is_nullable.
//   KeyUniqueness (primary and alternate keys): share of the synthetic rows whose key is there and did not
//     occur in a row before.
//   DatetimeFormatAdherence: share of the synthetic values that are missing or of the metadata's format.
//   RegexFormatAdherence: share of the synthetic values whose text is of the format as a whole; pandas' text
//     of a missing one is "nan". Regular expressions are Perl's (Boost), whose common part with Python's is
//     what a format uses; one with named groups, which SDMetrics compares with the real data's groups, has no
//     score here, and its note says so.
//   A sequence index has no BoundaryAdherence, and then no format metric either.
// Data Structure: the columns, each with its pandas dtype, that both tables have over those that one of them
// has.
#pragma once

#include <string>
#include <vector>

#include "quality/columns.h"

namespace maeil::quality {

struct Validity {
  std::string name, metric;  // of a composite key: its columns with ", " between them
  double score;              // NaN: none
  std::string note;          // why there is none; ""
};

struct Diagnostic {
  std::vector<Validity> columns;
  // "name: int64, synthetic float64", "name: only in the real data"
  std::vector<std::string> structure_differences;
  double validity, structure, overall;  // overall: the mean of those that there are
};

Diagnostic diagnose(const Data& data);

}  // namespace maeil::quality
