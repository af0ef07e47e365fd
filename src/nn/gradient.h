// A batch through the encoder, forward and backward, on all threads: what training and pre-training share.
//
// Rows are divided into pieces by their number alone; each piece sums its rows' gradients in order, then the
// pieces are added in order. So the result does not depend on the number of threads.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "nn/model.h"
#include "nn/rows.h"

namespace maeil::nn {

// Whether no value is infinite or NaN; by the exponent bits, which compilers vectorise.
bool all_finite(std::span<const float> values);

// Not thread safe. Keeps its scratch memory between batches.
class BatchGradient {
 public:
  // `implementation`: kReference for tests.
  BatchGradient(const ModelShape& shape, float dropout, uint64_t seed,
                kernels::Implementation implementation = kernels::Implementation::kBest);

  // Given one row's pooled encoding (D), writes its gradient (D) and adds the head's gradients to
  // `fc_gradient`.
  using Head = std::function<void(size_t row, const float* pooled, const kernels::RowDropout& dropout,
                                  float* pooled_gradient, float* fc_gradient)>;

  // Only forward, with the dropout of (step, row): pooled (B, D).
  void pool(const Parameters& parameters, std::span<const float> unknown, const Rows& rows, uint64_t step,
            std::span<float> pooled);

  // Forward and backward. `gradients`: laid out as parameters.values, overwritten. `head` is called once a
  // row, from any thread.
  void run(const Parameters& parameters, std::span<const float> unknown, const Rows& rows, uint64_t step,
           const Head& head, std::span<float> gradients);

 private:
  kernels::RowDropout row_dropout(uint64_t step, size_t row) const;
  void ensure_workers();
  void add_embedding_gradients(const Parameters& parameters, const Rows& rows, std::span<float> gradients);

  struct Worker {
    kernels::EncoderScratch scratch;
    std::vector<float> tokens, pooled, pooled_gradient;  // (F, D), (D), (D)
  };
  ModelShape shape_;
  kernels::DropoutRate rate_;
  uint64_t seed_;
  kernels::EncoderWeights weights_;
  std::vector<Worker> workers_;
  std::vector<std::vector<float>> pieces_;  // the encoder's folded gradient, then the head's
  std::vector<float> token_gradients_;      // (B, F, D)
};

}  // namespace maeil::nn
