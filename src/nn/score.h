// Scoring: coded rows to logits, on all threads.
//
// Each row is computed on its own by the same instructions, so a row's logits are the same bits whatever the
// number of threads and whichever rows it is scored with.
#pragma once

#include <span>
#include <vector>

#include "nn/model.h"
#include "nn/rows.h"

namespace maeil::nn {

// A model made ready for scoring: its parameters and their packed copy. Const methods are thread safe.
class Scorer {
 public:
  // `unknown` (C, D): the embedding of code -1; empty: the mean of each table's rows.
  // kBadInput: a parameter or an unknown value's embedding is not finite.
  static Result<Scorer> make(Parameters parameters, std::span<const float> unknown = {});

  // `logits` (B, classes); `pooled` (B, D), the mean of the encoded tokens, is written where it is not empty.
  // Refuses (kBadInput) codes outside their table and numbers that are not finite, before anything is
  // written; and rows whose result is not finite (huge weights or inputs overflow float32 on the way), naming
  // the first: nothing in `logits` may be used then.
  Status score(const Rows& rows, std::span<float> logits, std::span<float> pooled = {}) const;

  const Parameters& parameters() const { return parameters_; }
  const std::vector<float>& unknown() const { return unknown_; }  // (C, D)
  const kernels::EncoderWeights& weights() const { return weights_; }

 private:
  Parameters parameters_;
  std::vector<float> unknown_;
  kernels::EncoderWeights weights_;
};

// Softmax over the two classes: P(label = 1) of each row, in double. `logits` (B, 2), `probability` (B).
void probabilities(std::span<const float> logits, std::span<double> probability);

}  // namespace maeil::nn
