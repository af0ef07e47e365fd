// Packing of weights and unfolding of gradients; the same for every instruction set.
//
// Folding: with y = n * g + b (norm) and q' = c (W y + w0), the packed matrix is c W_oi g_i and its bias c
// (W_oi b_i + w0_o). Given M_oi = sum dq'_o n_i and s_o = sum dq'_o over tokens, the chain rule gives
//   dW_oi = c (g_i M_oi + b_i s_o),  dw0_o = c s_o,  dg_i = sum_o c W_oi M_oi,  db_i = sum_o c W_oi s_o.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/encoder_simd.h"

namespace maeil::kernels {
namespace {

// log2(e) / sqrt(head size): scores come out as exponents of 2.
float query_scale(const EncoderShape& s) {
  const size_t head_size = s.width / s.heads;
  return static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(head_size)));
}

// w (out, in) -> blocks [out/4][in][4], and transposed [in/4][out][4].
void pack_matrix(const float* w, size_t out, size_t in, float* packed, float* transposed) {
  for (size_t o = 0; o < out; ++o) {
    for (size_t i = 0; i < in; ++i) {
      packed[(o / 4 * in + i) * 4 + o % 4] = w[o * in + i];
      transposed[(i / 4 * out + o) * 4 + i % 4] = w[o * in + i];
    }
  }
}

// scale[o] * W_oi * norm_weight[i] into `w`, scale[o] * (W b + bias) into `bias`.
void fold(size_t out, size_t in, const float* weight, const float* bias, const float* norm_weight,
          const float* norm_bias, size_t scaled_rows, float scale, float* folded, float* folded_bias) {
  for (size_t o = 0; o < out; ++o) {
    const float c = o < scaled_rows ? scale : 1.0f;
    double sum = bias[o];
    for (size_t i = 0; i < in; ++i) {
      sum += static_cast<double>(weight[o * in + i]) * norm_bias[i];
      folded[o * in + i] = c * weight[o * in + i] * norm_weight[i];
    }
    folded_bias[o] = static_cast<float>(c * sum);
  }
}

// The rules of the head comment; `m` (out, in) and `s` (out). Overwrites all four outputs.
void unfold(size_t out, size_t in, const float* weight, const float* norm_weight, const float* norm_bias,
            size_t scaled_rows, float scale, const float* m, const float* s, float* dweight, float* dbias,
            float* dnorm_weight, float* dnorm_bias) {
  std::fill(dnorm_weight, dnorm_weight + in, 0.0f);
  std::fill(dnorm_bias, dnorm_bias + in, 0.0f);
  for (size_t o = 0; o < out; ++o) {
    const float c = o < scaled_rows ? scale : 1.0f;
    dbias[o] = c * s[o];
    for (size_t i = 0; i < in; ++i) {
      const float w = c * weight[o * in + i];
      dweight[o * in + i] = c * (norm_weight[i] * m[o * in + i] + norm_bias[i] * s[o]);
      dnorm_weight[i] += w * m[o * in + i];
      dnorm_bias[i] += w * s[o];
    }
  }
}

}  // namespace

PackedOffsets packed_offsets(const EncoderShape& shape) {
  const size_t d = static_cast<size_t>(shape.width), m = static_cast<size_t>(shape.feed_forward);
  PackedOffsets at;
  size_t end = 0;
  const auto place = [&end](size_t size) { return std::exchange(end, end + size); };
  at.in = place(3 * d * d), at.in_bias = place(3 * d), at.in_t = place(3 * d * d);
  at.out = place(d * d), at.out_bias = place(d), at.out_t = place(d * d);
  at.w1 = place(m * d), at.b1 = place(m), at.w1_t = place(m * d);
  at.w2 = place(d * m), at.b2 = place(d), at.w2_t = place(d * m);
  at.size = end;
  return at;
}

void simd_pack(const EncoderShape& s, const float* layers, float* packed) {
  const LayerOffsets from = layer_offsets(s);
  const PackedOffsets to = packed_offsets(s);
  const size_t d = static_cast<size_t>(s.width), m = static_cast<size_t>(s.feed_forward);
  std::vector<float> folded(std::max(3 * d, m) * d);
  for (int layer = 0; layer < s.layers; ++layer, layers += from.size, packed += to.size) {
    fold(3 * d, d, layers + from.in_weight, layers + from.in_bias, layers + from.norm1_weight,
         layers + from.norm1_bias, d, query_scale(s), folded.data(), packed + to.in_bias);
    pack_matrix(folded.data(), 3 * d, d, packed + to.in, packed + to.in_t);
    fold(m, d, layers + from.w1, layers + from.b1, layers + from.norm2_weight, layers + from.norm2_bias, 0, 1,
         folded.data(), packed + to.b1);
    pack_matrix(folded.data(), m, d, packed + to.w1, packed + to.w1_t);
    pack_matrix(layers + from.out_weight, d, d, packed + to.out, packed + to.out_t);
    pack_matrix(layers + from.w2, d, m, packed + to.w2, packed + to.w2_t);
    std::copy_n(layers + from.out_bias, d, packed + to.out_bias);
    std::copy_n(layers + from.b2, d, packed + to.b2);
  }
}

void simd_unfold_gradient(const EncoderShape& s, const float* layers, const float* folded, float* g) {
  const LayerOffsets at = layer_offsets(s);
  const size_t d = static_cast<size_t>(s.width), m = static_cast<size_t>(s.feed_forward);
  for (int layer = 0; layer < s.layers; ++layer, layers += at.size, folded += at.size, g += at.size) {
    unfold(3 * d, d, layers + at.in_weight, layers + at.norm1_weight, layers + at.norm1_bias, d,
           query_scale(s), folded + at.in_weight, folded + at.in_bias, g + at.in_weight, g + at.in_bias,
           g + at.norm1_weight, g + at.norm1_bias);
    unfold(m, d, layers + at.w1, layers + at.norm2_weight, layers + at.norm2_bias, 0, 1, folded + at.w1,
           folded + at.b1, g + at.w1, g + at.b1, g + at.norm2_weight, g + at.norm2_bias);
    std::copy_n(folded + at.out_weight, d * d + d, g + at.out_weight);
    std::copy_n(folded + at.w2, d * m + d, g + at.w2);
  }
}

}  // namespace maeil::kernels
