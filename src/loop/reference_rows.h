// Reference rows: what a first model learns from, and the rows that are held out of that to judge it.
//
// They are drawn with a seed of their own, so that no day's rows are among them. 15 % by a hash are held out:
// nothing is fitted on them, no vocabulary, no imputed value, no scale, no weight. Rows without a label are
// in neither part.
#pragma once

#include <cstdint>

#include "loop/prepared/read_rows.h"
#include "loop/source.h"

namespace maeil::loop {

// Rows 0 .. rows - 1 of `source`. A smaller `rows` gives the first ones of a larger, in the same parts.
struct ReferencePlan {
  const Source& source;
  const table::DatasetSpec& spec;
  Days date;
  uint64_t seed = 0;  // SEED
  uint64_t rows = 0;
};

// A preparation fitted on the rows to learn from. kBadInput when there are none.
Result<prep::Preparation> fit_reference(const ReferencePlan& plan, const RowProgress& progress = {});

struct ReferenceRows {
  Samples learn, held_out;
  uint64_t unlabelled = 0;  // left out
};
// kBadInput when no row is left to learn from.
Result<ReferenceRows> read_reference(const ReferencePlan& plan, const prep::Preparation& preparation);

}  // namespace maeil::loop
