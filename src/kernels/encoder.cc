// Chooses between the SIMD encoder and the reference, once per process.
//
// Start-up check: before an instruction set is used it must reproduce the reference on a small encoder, forward and
// backward, with dropout, with small and with large attention scores. One that does not is passed over for the next.
#include "kernels/encoder.h"

#include <cmath>

#include "base/philox.h"
#include "kernels/encoder_simd.h"

namespace maeil::kernels {
namespace {

// |a - b| / |b| in the l2 norm; infinity where something is not finite.
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    norm += double(b[i]) * b[i];
  }
  return std::isfinite(difference) ? std::sqrt(difference / norm) : INFINITY;
}

bool agrees_with_reference(float query_size) {
  const EncoderShape shape{13, 16, 2, 20, 2};
  const size_t fd = size_t(shape.tokens) * shape.width, layer = layer_offsets(shape).size, d = size_t(shape.width);
  RandomSequence random(1, RandomStream::kInit, 0);
  const auto draw = [&](size_t n, float size) {
    std::vector<float> x(n);
    for (float& value : x) value = static_cast<float>(random.next_uniform() - 0.5) * size;
    return x;
  };
  std::vector<float> layers = draw(layer * shape.layers, 0.8f);
  for (int l = 0; l < shape.layers; ++l) {
    for (size_t i = 0; i < d * d; ++i) layers[l * layer + i] *= query_size;
    for (size_t i = 0; i < d; ++i) layers[(l + 1) * layer - 2 * d + i] += 1, layers[(l + 1) * layer - 4 * d + i] += 1;
  }
  const std::vector<float> tokens = draw(fd, 2), pooled_gradient = draw(d, 2);
  const RowDropout dropout{dropout_rate(0.3f), 5, 6, 7};

  std::vector<float> pooled(d), expected_pooled(d), token_gradient(fd), expected_token_gradient(fd);
  std::vector<float> folded(layers.size()), gradient(layers.size()), expected_gradient(layers.size());
  EncoderTape<float> tape;
  encoder_forward_ref(shape, layers.data(), tokens.data(), dropout, expected_pooled.data(), tape);
  encoder_backward_ref(shape, layers.data(), tape, pooled_gradient.data(), dropout, expected_token_gradient.data(), expected_gradient.data());

  std::vector<float> packed(packed_offsets(shape).size * shape.layers);
  simd_pack(shape, layers.data(), packed.data());
  EncoderScratch scratch;
  const SimdCall call{shape, packed.data(), scratch.reserve(simd_scratch_size(shape, true))};
  simd_forward_training(call, tokens.data(), dropout, pooled.data());
  simd_backward(call, pooled_gradient.data(), dropout, token_gradient.data(), folded.data());
  simd_unpack_gradient(shape, layers.data(), folded.data(), gradient.data());
  constexpr double kTolerance = 1e-4;  // right code stays under 1e-5, a wrong mask or lane is above 1e-2
  return relative_error(pooled, expected_pooled) < kTolerance && relative_error(token_gradient, expected_token_gradient) < kTolerance &&
         relative_error(gradient, expected_gradient) < kTolerance;
}

// The first instruction set that passes; 0: none.
int64_t choose_target() {
  int64_t targets = simd_targets();
  for (; targets != 0; targets &= targets - 1) {
    const int64_t target = targets & -targets;  // Highway gives better sets lower bits
    simd_use(target);
    if (agrees_with_reference(1) && agrees_with_reference(60)) return target;
  }
  return 0;
}

int64_t chosen_target() {
  static const int64_t target = choose_target();
  return target;
}

}  // namespace

bool has_simd(const EncoderShape& s) {
  return s.width == 8 * s.heads && s.feed_forward % 4 == 0 && chosen_target() != 0;
}

const char* simd_target_name() { return chosen_target() == 0 ? "reference" : simd_name(chosen_target()); }

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

void encoder_forward(const EncoderWeights& weights, const float* tokens, float* pooled, EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd()) return encoder_forward_ref(shape, weights.packed(), tokens, RowDropout{}, pooled, scratch.tape);
  simd_forward({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, false))}, tokens, pooled);
}

void encoder_forward_training(const EncoderWeights& weights, const float* tokens, const RowDropout& dropout,
                              float* pooled, EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd()) return encoder_forward_ref(shape, weights.packed(), tokens, dropout, pooled, scratch.tape);
  simd_forward_training({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, true))}, tokens, dropout, pooled);
}

void encoder_backward(const EncoderWeights& weights, const float* pooled_gradient, const RowDropout& dropout,
                      float* token_gradient, float* packed_gradient, EncoderScratch& scratch) {
  const EncoderShape& shape = weights.shape();
  if (!weights.simd()) {
    return encoder_backward_ref(shape, weights.packed(), scratch.tape, pooled_gradient, dropout, token_gradient, packed_gradient);
  }
  simd_backward({shape, weights.packed(), scratch.reserve(simd_scratch_size(shape, true))}, pooled_gradient, dropout,
                token_gradient, packed_gradient);
}

size_t packed_gradient_size(const EncoderWeights& weights) {
  return layer_offsets(weights.shape()).size * weights.shape().layers;
}

void unpack_gradient(const EncoderWeights& weights, const float* layers, const float* packed_gradient, float* layer_gradients) {
  if (weights.simd()) return simd_unpack_gradient(weights.shape(), layers, packed_gradient, layer_gradients);
  std::copy(packed_gradient, packed_gradient + packed_gradient_size(weights), layer_gradients);
}

}  // namespace maeil::kernels
