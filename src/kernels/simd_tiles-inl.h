// Register tiles that every product of the encoder is made of, for one instruction set (re-included per
// target).
//
// MatTile: 4 outputs x 3 vectors of tokens, 12 accumulators; per step 4 broadcasts + 3 loads feed 12
// multiply-adds, which fits 16 registers and keeps two FMA units busy. DotTile: up to 3 x 4 dot products over
// tokens, also 12 accumulators. Accumulators are named, not arrays, so that no compiler keeps them in memory.
#if defined(MAEIL_KERNELS_SIMD_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAEIL_KERNELS_SIMD_TILES_INL_H_
#undef MAEIL_KERNELS_SIMD_TILES_INL_H_
#else
#define MAEIL_KERNELS_SIMD_TILES_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/dropout.h"

HWY_BEFORE_NAMESPACE();
namespace maeil::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToSigned<Floats>;
using V = hn::Vec<Floats>;
using W = hn::Vec<Words>;
inline constexpr size_t kLanes = hn::MaxLanes(Floats());
inline constexpr size_t kBlock = 3 * kLanes;  // tokens of a tile

HWY_INLINE V LoadV(const float* p) { return hn::Load(Floats(), p); }
HWY_INLINE void StoreV(V v, float* p) { hn::Store(v, Floats(), p); }
HWY_INLINE V SetV(float x) { return hn::Set(Floats(), x); }
HWY_INLINE V ZeroV() { return hn::Zero(Floats()); }

struct Tile {  // [output][vector]
  V a0, a1, a2, b0, b1, b2, c0, c1, c2, d0, d1, d2;
};

// t[j] = sum over k < K of w[k * wk + j * wj] * x[k * xk ...]; inlined, so the strides are constants where
// they are known.
HWY_INLINE Tile MatTile(const float* HWY_RESTRICT w, size_t wk, size_t wj, const float* HWY_RESTRICT x,
                        size_t xk, size_t K) {
  Tile t{ZeroV(), ZeroV(), ZeroV(), ZeroV(), ZeroV(), ZeroV(),
         ZeroV(), ZeroV(), ZeroV(), ZeroV(), ZeroV(), ZeroV()};
  const float* HWY_RESTRICT w1 = w + wj;
  const float* HWY_RESTRICT w2 = w1 + wj;
  const float* HWY_RESTRICT w3 = w2 + wj;
#pragma GCC unroll 2
  for (size_t k = 0; k < K; ++k) {
    const V x0 = LoadV(x), x1 = LoadV(x + kLanes), x2 = LoadV(x + 2 * kLanes);
    const V a = SetV(*w);
    t.a0 = hn::MulAdd(a, x0, t.a0), t.a1 = hn::MulAdd(a, x1, t.a1), t.a2 = hn::MulAdd(a, x2, t.a2);
    const V b = SetV(*w1);
    t.b0 = hn::MulAdd(b, x0, t.b0), t.b1 = hn::MulAdd(b, x1, t.b1), t.b2 = hn::MulAdd(b, x2, t.b2);
    const V c = SetV(*w2);
    t.c0 = hn::MulAdd(c, x0, t.c0), t.c1 = hn::MulAdd(c, x1, t.c1), t.c2 = hn::MulAdd(c, x2, t.c2);
    const V d = SetV(*w3);
    t.d0 = hn::MulAdd(d, x0, t.d0), t.d1 = hn::MulAdd(d, x1, t.d1), t.d2 = hn::MulAdd(d, x2, t.d2);
    w += wk, w1 += wk, w2 += wk, w3 += wk, x += xk;
  }
  return t;
}

HWY_INLINE void Store3(V v0, V v1, V v2, float* HWY_RESTRICT out) {
  StoreV(v0, out), StoreV(v1, out + kLanes), StoreV(v2, out + 2 * kLanes);
}
HWY_INLINE void StoreTile(const Tile& t, float* HWY_RESTRICT out, size_t stride) {
  Store3(t.a0, t.a1, t.a2, out);
  Store3(t.b0, t.b1, t.b2, out + stride);
  Store3(t.c0, t.c1, t.c2, out + 2 * stride);
  Store3(t.d0, t.d1, t.d2, out + 3 * stride);
}

// Sums of the lanes of four vectors, in order: {sum a, sum b, sum c, sum d}.
using Quad = hn::FixedTag<float, 4>;
template <class D>
HWY_INLINE hn::Vec<Quad> FoldToQuad(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) == 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return FoldToQuad(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}
HWY_INLINE hn::Vec<Quad> Sum4(V a, V b, V c, V d) {
  const Floats f;
  const hn::RepartitionToWide<Floats> pairs;
  // a02 b02 a13 b13 in each block
  const V ab = hn::Add(hn::InterleaveLower(f, a, b), hn::InterleaveUpper(f, a, b));
  const V cd = hn::Add(hn::InterleaveLower(f, c, d), hn::InterleaveUpper(f, c, d));
  const auto low = hn::InterleaveLower(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  const auto high = hn::InterleaveUpper(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  return FoldToQuad(f, hn::Add(hn::BitCast(f, low), hn::BitCast(f, high)));
}

// out[r * out_stride + c] (+)= scale * sum over P tokens of a[r] * b[c], for r < kRows <= 3 and c < 4; rows
// of a and b are `a_stride` and `b_stride` apart.
template <int kRows, bool kAdd>
HWY_INLINE void DotTile(const float* HWY_RESTRICT a, size_t a_stride, const float* HWY_RESTRICT b,
                        size_t b_stride, size_t P, float scale, float* HWY_RESTRICT out, size_t out_stride) {
  V p0 = ZeroV(), p1 = p0, p2 = p0, p3 = p0, q0 = p0, q1 = p0, q2 = p0, q3 = p0, r0 = p0, r1 = p0, r2 = p0,
    r3 = p0;
  const float* HWY_RESTRICT b1 = b + b_stride;
  const float* HWY_RESTRICT b2 = b1 + b_stride;
  const float* HWY_RESTRICT b3 = b2 + b_stride;
  for (size_t t = 0; t < P; t += kLanes) {
    const V x0 = LoadV(b + t), x1 = LoadV(b1 + t), x2 = LoadV(b2 + t), x3 = LoadV(b3 + t);
    const V p = LoadV(a + t);
    p0 = hn::MulAdd(p, x0, p0), p1 = hn::MulAdd(p, x1, p1), p2 = hn::MulAdd(p, x2, p2),
    p3 = hn::MulAdd(p, x3, p3);
    if constexpr (kRows > 1) {
      const V q = LoadV(a + a_stride + t);
      q0 = hn::MulAdd(q, x0, q0), q1 = hn::MulAdd(q, x1, q1), q2 = hn::MulAdd(q, x2, q2),
      q3 = hn::MulAdd(q, x3, q3);
    }
    if constexpr (kRows > 2) {
      const V r = LoadV(a + 2 * a_stride + t);
      r0 = hn::MulAdd(r, x0, r0), r1 = hn::MulAdd(r, x1, r1), r2 = hn::MulAdd(r, x2, r2),
      r3 = hn::MulAdd(r, x3, r3);
    }
  }
  const Quad quad;
  const auto s = hn::Set(quad, scale);
  const auto put = [&](hn::Vec<Quad> sums, float* to) HWY_ATTR {
    hn::Store(kAdd ? hn::MulAdd(sums, s, hn::Load(quad, to)) : hn::Mul(sums, s), quad, to);
  };
  put(Sum4(p0, p1, p2, p3), out);
  if constexpr (kRows > 1) put(Sum4(q0, q1, q2, q3), out + out_stride);
  if constexpr (kRows > 2) put(Sum4(r0, r1, r2, r3), out + 2 * out_stride);
}

// out (rows_a, rows_b) (+)= a b^T over P tokens; rows_b a multiple of 4.
template <bool kAdd>
HWY_NOINLINE void DotRows(const float* a, size_t a_stride, size_t rows_a, const float* b, size_t b_stride,
                          size_t rows_b, size_t P, float scale, float* out, size_t out_stride) {
  size_t r = 0;
  for (; r + 3 <= rows_a; r += 3) {
    for (size_t c = 0; c < rows_b; c += 4) {
      DotTile<3, kAdd>(a + r * a_stride, a_stride, b + c * b_stride, b_stride, P, scale,
                       out + r * out_stride + c, out_stride);
    }
  }
  for (size_t c = 0; c < rows_b; c += 4) {
    const float* ar = a + r * a_stride;
    float* to = out + r * out_stride + c;
    if (rows_a - r == 2) DotTile<2, kAdd>(ar, a_stride, b + c * b_stride, b_stride, P, scale, to, out_stride);
    if (rows_a - r == 1) DotTile<1, kAdd>(ar, a_stride, b + c * b_stride, b_stride, P, scale, to, out_stride);
  }
}

// out[r] += sum over P tokens of a[r]; rows a multiple of 4.
HWY_INLINE void AddRowSums(const float* HWY_RESTRICT a, size_t rows, size_t P, float* HWY_RESTRICT out) {
  for (size_t r = 0; r < rows; r += 4, a += 4 * P) {
    V s0 = ZeroV(), s1 = s0, s2 = s0, s3 = s0;
    for (size_t t = 0; t < P; t += kLanes) {
      s0 = hn::Add(s0, LoadV(a + t)), s1 = hn::Add(s1, LoadV(a + P + t));
      s2 = hn::Add(s2, LoadV(a + 2 * P + t)), s3 = hn::Add(s3, LoadV(a + 3 * P + t));
    }
    const Quad quad;
    hn::Store(hn::Add(hn::Load(quad, out + r), Sum4(s0, s1, s2, s3)), quad, out + r);
  }
}

// 2^x for |x| <= 126: x = n + f with n the nearest integer, 2^f by a minimax polynomial of degree 5 on [-1/2,
// 1/2] (relative error 7.5e-8), n added to the exponent. Adding 1.5 * 2^23 rounds to an integer and leaves it
// in the low bits.
HWY_INLINE V Exp2(V x) {
  const Floats d;
  const Words w;
  const V magic = SetV(12582912.0f);
  const V shifted = hn::Add(x, magic);
  const V f = hn::Sub(x, hn::Sub(shifted, magic));
  V p = hn::MulAdd(f, SetV(1.327647152e-3f), SetV(9.675541331e-3f));
  p = hn::MulAdd(f, p, SetV(5.550713275e-2f));
  p = hn::MulAdd(f, p, SetV(2.402211972e-1f));
  p = hn::MulAdd(f, p, SetV(6.931469671e-1f));
  p = hn::MulAdd(f, p, SetV(1.000000072f));
  return hn::BitCast(d, hn::Add(hn::BitCast(w, p), hn::ShiftLeft<23>(hn::BitCast(w, shifted))));
}

// dropout_word of `index` + 0, 1, ... in the lanes.
HWY_INLINE W DropoutWords(DropoutKey key, uint32_t index) {
  const Words w;
  const W lane = hn::Iota(w, static_cast<int32_t>(index));
  const hn::RebindToUnsigned<Words> u;
  auto x = hn::Add(hn::Mul(hn::BitCast(u, lane), hn::Set(u, 0x9E3779B1u)), hn::Set(u, key.a));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<16>(x)), hn::Set(u, 0x7FEB352Du));
  x = hn::Mul(hn::Xor(hn::Xor(x, hn::ShiftRight<15>(x)), hn::Set(u, key.b)), hn::Set(u, 0x846CA68Bu));
  return hn::BitCast(w, hn::Xor(x, hn::ShiftRight<16>(x)));
}

// v where byte kByte of the word says keep, else 0. `threshold`: (dropped_of_256 - 128) << 24 in each lane.
template <int kByte>
HWY_INLINE V Keep(W word, W threshold, V v) {
  const W shifted = hn::ShiftLeft<8 * kByte>(word);
  return hn::IfThenZeroElse(hn::RebindMask(Floats(), hn::Lt(shifted, threshold)), v);
}
HWY_INLINE W DropoutThreshold(DropoutRate rate) {
  return hn::Set(Words(), static_cast<int32_t>(static_cast<uint32_t>(rate.dropped_of_256 - 128) << 24));
}
// Masks a tile whose four outputs are bytes 0..3 of the words of its three vectors; no scaling.
HWY_INLINE Tile KeepTile(const Tile& t, DropoutKey key, W threshold, uint32_t index) {
  const W w0 = DropoutWords(key, index), w1 = DropoutWords(key, index + kLanes),
          w2 = DropoutWords(key, index + 2 * kLanes);
  return {Keep<0>(w0, threshold, t.a0), Keep<0>(w1, threshold, t.a1), Keep<0>(w2, threshold, t.a2),
          Keep<1>(w0, threshold, t.b0), Keep<1>(w1, threshold, t.b1), Keep<1>(w2, threshold, t.b2),
          Keep<2>(w0, threshold, t.c0), Keep<2>(w1, threshold, t.c1), Keep<2>(w2, threshold, t.c2),
          Keep<3>(w0, threshold, t.d0), Keep<3>(w1, threshold, t.d1), Keep<3>(w2, threshold, t.d2)};
}

}  // namespace maeil::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
