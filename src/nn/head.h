// The classifier's head of one row: pooled (D) -> hidden (H) with ReLU and dropout -> logits (K). And its
// loss.
//
// Plain loops: 0.03 % of the model's work. For float, and for double in finite differences.
#pragma once

#include <cmath>

#include "kernels/dropout.h"
#include "nn/model.h"

namespace maeil::nn {

inline uint32_t head_dropout_site(const ModelShape& s) { return kernels::dropout_site(s.heads, s.layers, 0); }

// `fc`: fc.0.weight (H, D), fc.0.bias, fc.3.weight (K, H), fc.3.bias, one after the other. Writes hidden (H),
// logits (K).
template <class Real>
void head_forward(const ModelShape& s, const Real* fc, const Real* pooled, const kernels::RowDropout& dropout,
                  Real* hidden, Real* logits) {
  const Real* bias = fc + size_t(s.head_hidden) * s.width;
  const kernels::DropoutKey key =
      dropout.active() ? dropout.key(head_dropout_site(s)) : kernels::DropoutKey{};
  for (int h = 0; h < s.head_hidden; ++h) {
    Real sum = 0;
    for (int d = 0; d < s.width; ++d) sum += fc[h * s.width + d] * pooled[d];
    // NaN is not <= 0 and goes on, as through PyTorch's ReLU.
    const bool off =
        sum + bias[h] <= 0 || (dropout.active() && !kernels::dropout_keeps(key, dropout.rate, h, 0));
    hidden[h] = off ? Real(0) : (sum + bias[h]) * Real(dropout.rate.scale);
  }
  const Real* out = bias + s.head_hidden;
  for (int k = 0; k < s.classes; ++k) {
    Real sum = 0;
    for (int h = 0; h < s.head_hidden; ++h) sum += out[k * s.head_hidden + h] * hidden[h];
    logits[k] = sum + out[s.classes * s.head_hidden + k];
  }
}

// `pooled_gradient` (D) is overwritten, the head's gradients are added to `fc_gradient`.
template <class Real>
void head_backward(const ModelShape& s, const Real* fc, const Real* pooled, const Real* hidden,
                   const Real* logit_gradient, Real dropout_scale, Real* pooled_gradient, Real* fc_gradient) {
  const size_t bias = size_t(s.head_hidden) * s.width, out = bias + s.head_hidden,
               out_bias = out + size_t(s.classes) * s.head_hidden;
  for (int d = 0; d < s.width; ++d) pooled_gradient[d] = 0;
  for (int k = 0; k < s.classes; ++k) fc_gradient[out_bias + k] += logit_gradient[k];
  for (int h = 0; h < s.head_hidden; ++h) {
    if (hidden[h] <= 0) continue;  // ReLU or dropout stopped it
    Real sum = 0;
    for (int k = 0; k < s.classes; ++k) {
      sum += logit_gradient[k] * fc[out + k * s.head_hidden + h];
      fc_gradient[out + k * s.head_hidden + h] += logit_gradient[k] * hidden[h];
    }
    sum *= dropout_scale;
    fc_gradient[bias + h] += sum;
    for (int d = 0; d < s.width; ++d) {
      fc_gradient[h * s.width + d] += sum * pooled[d];
      pooled_gradient[d] += sum * fc[h * s.width + d];
    }
  }
}

// -log softmax(logits)[label] * weight; writes its gradient (K). Computed in double.
template <class Real>
double cross_entropy(int classes, const Real* logits, int label, double weight, Real* logit_gradient) {
  double highest = static_cast<double>(logits[0]), sum = 0;
  for (int k = 1; k < classes; ++k) highest = std::max(highest, static_cast<double>(logits[k]));
  for (int k = 0; k < classes; ++k) sum += std::exp(logits[k] - highest);
  for (int k = 0; k < classes; ++k) {
    const double p = std::exp(logits[k] - highest) / sum;
    logit_gradient[k] = static_cast<Real>(weight * (p - (k == label ? 1 : 0)));
  }
  return weight * (highest + std::log(sum) - logits[label]);
}

}  // namespace maeil::nn
