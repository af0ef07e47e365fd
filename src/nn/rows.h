// Coded rows as the model reads them: borrowed, row-major, and checked in one place.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "nn/model.h"

namespace maeil::nn {

// `codes` (B, C): 0 <= code < cardinality, or -1 for "unknown"; `numbers` (B, N): finite, scaled.
struct Rows {
  std::span<const int32_t> codes;
  std::span<const float> numbers;
  size_t count = 0;  // B

  Rows slice(const ModelShape& shape, size_t first, size_t rows) const;
};

// Rows picked from others by index: a batch. Its memory is reused.
struct RowBuffer {
  std::vector<int32_t> codes;
  std::vector<float> numbers;
  Rows gather(const ModelShape& shape, const Rows& from, std::span<const uint32_t> picked);
};

struct LabelledRows {
  Rows rows;
  std::span<const int32_t> labels;  // (B), 0 <= label < classes
};

// kBadInput naming the row and the feature of the first code outside its table or number that is not finite,
// or the array whose length does not fit.
Status check_rows(const ModelShape& shape, const Rows& rows);
Status check_labels(const ModelShape& shape, const LabelledRows& rows);

// The embedding (C, D) of code -1 where the caller has none: the mean of each table's rows.
std::vector<float> mean_embeddings(const Parameters& parameters);

// `unknown` if it has the right size and is finite or, when empty, the means.
Result<std::vector<float>> unknown_embeddings(const Parameters& parameters, std::span<const float> unknown);

// Writes one row's tokens (F, D). `codes` (C), `numbers` (N), `unknown` (C, D).
void embed_row(const Parameters& parameters, std::span<const float> unknown, const int32_t* codes,
               const float* numbers, float* tokens);

}  // namespace maeil::nn
