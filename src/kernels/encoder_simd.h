// The encoder in SIMD: sizes, packing, and one call per row, dispatched to the best instruction set at run
// time.
//
// Layout inside: every activation is [feature][token], the tokens are the vector lanes, padded to P (a
// multiple of three vectors). Packed weights: each product's matrix in blocks of four outputs,
// [block][input][4], and the transposed matrix likewise for the backward pass. norm's scale and shift,
// log2(e)/sqrt(head size) for the queries are folded in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dropout.h"
#include "kernels/encoder_shape.h"

namespace maeil::kernels {

// Where a layer's packed matrices begin. Every offset is a multiple of 4 floats.
struct PackedOffsets {
  size_t in = 0, in_bias = 0, in_t = 0;     // (3D/4, D, 4), (3D), (D/4, 3D, 4)
  size_t out = 0, out_bias = 0, out_t = 0;  // (D/4, D, 4), (D), (D/4, D, 4)
  size_t w1 = 0, b1 = 0, w1_t = 0;          // (M/4, D, 4), (M), (D/4, M, 4)
  size_t w2 = 0, b2 = 0, w2_t = 0;          // (D/4, M, 4), (D), (M/4, D, 4)
  size_t size = 0;
};
PackedOffsets packed_offsets(const EncoderShape& shape);

void simd_pack(const EncoderShape& shape, const float* layers, float* packed);

// The backward pass makes gradients of the folded matrices, laid out as layer_offsets (the norms' places
// unused).
void simd_unfold_gradient(const EncoderShape& shape, const float* layers, const float* folded,
                          float* layer_gradients);

// Floats of scratch that the calls below need, 64-byte aligned, for the target in use.
size_t simd_scratch_size(const EncoderShape& shape, bool training);

struct SimdCall {
  EncoderShape shape;
  const float* packed = nullptr;
  float* scratch = nullptr;
};
void simd_forward(const SimdCall& call, const float* tokens, float* pooled);
void simd_forward_training(const SimdCall& call, const float* tokens, const RowDropout& dropout,
                           float* pooled);
void simd_backward(const SimdCall& call, const float* pooled_gradient, const RowDropout& dropout,
                   float* token_gradient, float* folded_gradient);

// The instruction sets compiled in that this machine has, best first, and making one of them the one in use.
// For the start-up check and for tests; not while another thread computes.
int64_t simd_targets();
const char* simd_name(int64_t target);
void simd_use(int64_t target);

}  // namespace maeil::kernels
