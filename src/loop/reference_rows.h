// Reference rows: drawn rows that a first model learns from, and those that are held out of that to judge it.
//
// They are drawn with a seed of their own, so that no day's rows are among them. 15 % by a hash are held out.
#pragma once

#include <cstdint>
#include <memory>

#include "loop/learning_rows.h"
#include "loop/source.h"

namespace maeil::loop {

// Rows 0 .. rows - 1 of `source`. A smaller `rows` gives the first ones of a larger, in the same parts.
struct ReferencePlan {
  std::shared_ptr<const Source> source;
  const table::DatasetSpec& spec;
  Days date;
  uint64_t seed = 0;  // SEED
  uint64_t rows = 0;
};

// `plan.spec` must outlive them.
LearningRows reference_rows(const ReferencePlan& plan);

}  // namespace maeil::loop
