// Raw rows to a model's inputs, with fitted values only: never refitted on the day's data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prep/preparation.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

// A scaled number is kept within this many IQRs, so that a hostile 1e300 cannot make an infinity, and with it
// a NaN, in the model's float32. Real books stay below 1e9.
inline constexpr double kLargestScaled = 1e15;

// What transformed rows held, by feature in the preparation's order.
struct Counts {
  std::vector<uint64_t> unseen;        // categorical: values outside the vocabulary
  std::vector<uint64_t> nulls;         // numeric: missing values
  std::vector<uint64_t> out_of_range;  // numeric: values outside what the fit saw
};
// Element by element; an empty `total` counts as zeros.
void add(Counts& total, const Counts& more);

// B rows, C categorical and N numeric features. Row-major.
struct Prepared {
  size_t rows = 0;
  std::vector<int32_t> codes;   // (B,C); kUnknownCode where the model never saw the value
  std::vector<double> numbers;  // (B,N); NaN where missing, if the preparation keeps that
  std::vector<int8_t> labels;   // (B); 0, 1, or -1 where the target is missing
  struct KeptDate {
    std::string name;
    std::vector<std::string> values;  // (B); ISO dates, "" where missing
  };
  std::vector<KeptDate> dates;  // columns that stay in processed_data without being features
  Counts counts;                // of these rows
};

// Transforms a chunk, on the calling thread alone: chunks are what threads share out. Thread safe.
Prepared transform(const table::DatasetSpec& spec, const Preparation& preparation, const Table& chunk);

}  // namespace maeil::prep
