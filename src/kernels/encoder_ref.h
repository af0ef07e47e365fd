// The encoder as plain loops: the specification, the fallback for sizes without SIMD code, and the oracle of
// the tests.
//
// For float and double; double serves finite differences. Every formula is written where it is used, forward
// and backward side by side in encoder_ref.cc. Slow and allocating on purpose.
#pragma once

#include <vector>

#include "kernels/dropout.h"
#include "kernels/encoder_shape.h"

namespace maeil::kernels {

// What one layer's forward pass leaves for its backward pass; row-major, tokens first.
template <class Real>
struct LayerTape {
  std::vector<Real> normal1, rstd1;  // (F, D) before scale and shift; (F)
  std::vector<Real> qkv;             // (F, 3D)
  std::vector<Real> probability;     // (H, F, F) after softmax, before dropout
  std::vector<Real> attention;       // (F, D) concatenated heads
  std::vector<Real> normal2, rstd2;  // (F, D); (F)
  std::vector<Real> before_relu;     // (F, M)
  std::vector<Real> hidden;          // (F, M) after ReLU and dropout
};

template <class Real>
using EncoderTape = std::vector<LayerTape<Real>>;

// `layers`: L blocks of layer_offsets(shape).size; `tokens` (F, D); `pooled` (D). The tape is overwritten.
template <class Real>
void encoder_forward_ref(const EncoderShape& shape, const Real* layers, const Real* tokens,
                         const RowDropout& dropout, Real* pooled, EncoderTape<Real>& tape);

// `pooled_gradient` (D) in; `token_gradient` (F, D) out; the layers' gradients are added to
// `layer_gradients`.
template <class Real>
void encoder_backward_ref(const EncoderShape& shape, const Real* layers, const EncoderTape<Real>& tape,
                          const Real* pooled_gradient, const RowDropout& dropout, Real* token_gradient,
                          Real* layer_gradients);

}  // namespace maeil::kernels
