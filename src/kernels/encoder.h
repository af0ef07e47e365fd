// The transformer encoder of one row: forward, and backward with recomputed attention probabilities.
//
// Pre-norm layers as PyTorch's nn.TransformerEncoderLayer(norm_first=True, activation=relu): x += W_o
// attention(norm1(x)), x += W_2 relu(W_1 norm2(x)); no final norm. The result is the mean over tokens. Two
// implementations: encoder_ref.h (plain loops, any sizes, the specification) and encoder_simd.cc (Highway);
// this header picks one. Letters: F tokens, D width, H heads, M feed-forward width, L layers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/dropout.h"
#include "kernels/encoder_ref.h"
#include "kernels/encoder_shape.h"

namespace maeil::kernels {

enum class Implementation {
  kBest,  // SIMD where the shape allows it and the start-up check passed, else the reference
  kReference,
};

// The layers' weights in the order that the chosen implementation reads them. Immutable after pack();
// shareable.
class EncoderWeights {
 public:
  EncoderWeights() = default;
  explicit EncoderWeights(const EncoderShape& shape, Implementation implementation = Implementation::kBest);
  // Copies `layers` (L blocks of layer_offsets().size floats). Call again after each change of the
  // parameters.
  void pack(const float* layers);

  const EncoderShape& shape() const { return shape_; }
  bool simd() const { return simd_; }
  const float* packed() const { return packed_.data(); }

 private:
  EncoderShape shape_;
  bool simd_ = false;
  std::vector<float> packed_;
};

// Memory of one thread; grows on first use and is kept. Holds what forward saved for the backward pass.
class EncoderScratch {
 public:
  float* reserve(size_t floats);  // 64-byte aligned; contents are kept only if it was large enough
  EncoderTape<float> tape;        // of the reference

 private:
  std::vector<float> memory_;
};

// pooled (D) = mean over tokens of the encoding of `tokens` (F, D). No dropout, nothing saved.
void encoder_forward(const EncoderWeights& weights, const float* tokens, float* pooled,
                     EncoderScratch& scratch);

// The same with dropout (rate 0: none), saving in `scratch` what encoder_backward needs.
void encoder_forward_training(const EncoderWeights& weights, const float* tokens, const RowDropout& dropout,
                              float* pooled, EncoderScratch& scratch);

// After encoder_forward_training with the same weights, dropout and scratch: `pooled_gradient` (D) in,
// `token_gradient` (F, D) out. Adds the weights' gradients to `folded_gradient` (folded_gradient_size
// floats).
void encoder_backward(const EncoderWeights& weights, const float* pooled_gradient, const RowDropout& dropout,
                      float* token_gradient, float* folded_gradient, EncoderScratch& scratch);

// Gradients are summed over rows in the form the backward pass makes them in, and turned into gradients of
// the layers' blocks once per step. They are laid out as the layers are (layer_offsets), one block a layer:
// of SIMD weights they are by the matrices with norms and scales folded in, of the reference's by the
// parameters themselves. Sums of folded gradients are gradients of sums.
size_t folded_gradient_size(const EncoderWeights& weights);
void unfold_gradient(const EncoderWeights& weights, const float* layers, const float* folded_gradient,
                     float* layer_gradients);

}  // namespace maeil::kernels
