// The encoder's sizes and where each tensor of a layer lies. Letters: F tokens, D width, H heads, M
// feed-forward width, L layers.
#pragma once

#include <cstddef>
#include <utility>

namespace maeil::kernels {

struct EncoderShape {
  int tokens = 0, width = 0, heads = 0, feed_forward = 0, layers = 0;  // F, D, H, M, L
  bool operator==(const EncoderShape&) const = default;
};

// Where a layer's tensors begin within its block: the order of a PyTorch state_dict, row-major, no gaps.
struct LayerOffsets {
  size_t in_weight = 0;                                                       // (3D, D)
  size_t in_bias = 0;                                                         // (3D)
  size_t out_weight = 0;                                                      // (D, D)
  size_t out_bias = 0;                                                        // (D)
  size_t w1 = 0;                                                              // (M, D)
  size_t b1 = 0;                                                              // (M)
  size_t w2 = 0;                                                              // (D, M)
  size_t b2 = 0;                                                              // (D)
  size_t norm1_weight = 0, norm1_bias = 0, norm2_weight = 0, norm2_bias = 0;  // (D) each
  size_t size = 0;                                                            // of the whole block
};
inline LayerOffsets layer_offsets(const EncoderShape& shape) {
  const size_t d = static_cast<size_t>(shape.width), m = static_cast<size_t>(shape.feed_forward);
  LayerOffsets at;
  size_t end = 0;
  const auto place = [&end](size_t size) { return std::exchange(end, end + size); };
  at.in_weight = place(3 * d * d), at.in_bias = place(3 * d);
  at.out_weight = place(d * d), at.out_bias = place(d);
  at.w1 = place(m * d), at.b1 = place(m);
  at.w2 = place(d * m), at.b2 = place(d);
  at.norm1_weight = place(d), at.norm1_bias = place(d), at.norm2_weight = place(d), at.norm2_bias = place(d);
  at.size = end;
  return at;
}

inline constexpr float kNormEpsilon = 1e-5f;

}  // namespace maeil::kernels
