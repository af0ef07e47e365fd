// Chooses between the SIMD encoder and the reference.
#include "kernels/encoder.h"

namespace maeil::kernels {

bool has_simd(const EncoderShape&) { return false; }
const char* simd_target_name() { return "reference"; }

EncoderWeights::EncoderWeights(const EncoderShape& shape, Implementation implementation)
    : shape_(shape), simd_(implementation == Implementation::kBest && has_simd(shape)) {}

void EncoderWeights::pack(const float* layers) {
  packed_.assign(layers, layers + layer_offsets(shape_).size * shape_.layers);
}

float* EncoderScratch::reserve(size_t floats) {
  constexpr size_t kAlign = 16;  // floats: 64 bytes
  if (memory_.size() < floats + kAlign) memory_.resize(floats + kAlign);
  const size_t past = reinterpret_cast<uintptr_t>(memory_.data()) / sizeof(float) % kAlign;
  return memory_.data() + (kAlign - past) % kAlign;
}

void encoder_forward(const EncoderWeights& weights, const float* tokens, float* pooled, EncoderScratch& scratch) {
  encoder_forward_ref(weights.shape(), weights.packed(), tokens, RowDropout{}, pooled, scratch.tape);
}

void encoder_forward_training(const EncoderWeights& weights, const float* tokens, const RowDropout& dropout,
                              float* pooled, EncoderScratch& scratch) {
  encoder_forward_ref(weights.shape(), weights.packed(), tokens, dropout, pooled, scratch.tape);
}

void encoder_backward(const EncoderWeights& weights, const float* pooled_gradient, const RowDropout& dropout,
                      float* token_gradient, float* packed_gradient, EncoderScratch& scratch) {
  encoder_backward_ref(weights.shape(), weights.packed(), scratch.tape, pooled_gradient, dropout, token_gradient,
                       packed_gradient);
}

size_t packed_gradient_size(const EncoderWeights& weights) {
  return layer_offsets(weights.shape()).size * weights.shape().layers;
}

void unpack_gradient(const EncoderWeights& weights, const float*, const float* packed_gradient, float* layer_gradients) {
  std::copy(packed_gradient, packed_gradient + packed_gradient_size(weights), layer_gradients);
}

}  // namespace maeil::kernels
