// Rows in memory, as a model reads them.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/rows.h"
#include "prep/transform.h"

namespace maeil::model {

// B rows of C categorical and N numeric features, row-major. `numbers` holds NaN where a preparation keeps
// what is missing (prep/preparation.h).
struct Samples {
  std::vector<int32_t> codes;   // (B,C)
  std::vector<float> numbers;   // (B,N)
  std::vector<int32_t> labels;  // (B)
  size_t rows() const { return labels.size(); }
  nn::LabelledRows view() const { return {{codes, numbers, rows()}, labels}; }
};

// A row of a chunk behind those that are there. REQUIRES: it has a label.
void append(Samples& to, const prep::Prepared& from, size_t row);

}  // namespace maeil::model
