// Each call goes to the SIMD encoder or to the reference, as the weights were packed for.
#include "kernels/encoder.h"

#include <algorithm>
#include <cstdint>

#include "kernels/encoder_simd.h"
#include "kernels/instruction_set.h"

namespace maeil::kernels {

EncoderWeights::EncoderWeights(const EncoderShape& shape, Implementation implementation)
    : shape_(shape), simd_(implementation == Implementation::kBest && has_simd(shape)) {}

void EncoderWeights::pack(const float* layers) {
  if (!simd_) {
    packed_.assign(layers, layers + layer_offsets(shape_).size * shape_.layers);
    return;
  }
  packed_.resize(packed_offsets(shape_).size * shape_.layers);
  simd_pack(shape_, layers, packed_.data());
}

float* EncoderScratch::reserve(size_t floats) {
  constexpr size_t kAlign = 16;  // floats: 64 bytes
  if (memory_.size() < floats + kAlign) memory_.resize(floats + kAlign);
  const size_t past = reinterpret_cast<uintptr_t>(memory_.data()) / sizeof(float) % kAlign;
  return memory_.data() + (kAlign - past) % kAlign;
}

void encoder_forward(const EncoderWeights& weights, const float* tokens, float* pooled,
                     EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd())
    return encoder_forward_ref(shape, weights.packed(), tokens, RowDropout{}, pooled, scratch.tape);
  simd_forward({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, false))}, tokens, pooled);
}

void encoder_forward_training(const EncoderWeights& weights, const float* tokens, const RowDropout& dropout,
                              float* pooled, EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd())
    return encoder_forward_ref(shape, weights.packed(), tokens, dropout, pooled, scratch.tape);
  simd_forward_training({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, true))}, tokens,
                        dropout, pooled);
}

void encoder_backward(const EncoderWeights& weights, const float* pooled_gradient, const RowDropout& dropout,
                      float* token_gradient, float* folded_gradient, EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd()) {
    return encoder_backward_ref(shape, weights.packed(), scratch.tape, pooled_gradient, dropout,
                                token_gradient, folded_gradient);
  }
  simd_backward({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, true))}, pooled_gradient,
                dropout, token_gradient, folded_gradient);
}

size_t folded_gradient_size(const EncoderWeights& weights) {
  return layer_offsets(weights.shape()).size * weights.shape().layers;
}

void unfold_gradient(const EncoderWeights& weights, const float* layers, const float* folded_gradient,
                     float* layer_gradients) {
  if (weights.simd()) return simd_unfold_gradient(weights.shape(), layers, folded_gradient, layer_gradients);
  std::copy(folded_gradient, folded_gradient + folded_gradient_size(weights), layer_gradients);
}

}  // namespace maeil::kernels
