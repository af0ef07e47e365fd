// One head of attention, forward and backward, for one instruction set (re-included per target).
//
// Queries are the lanes: a block of kBlock queries walks over the keys four at a time, scores and
// exponentials in registers. Scores are exponents of 2 (the factor is in the packed weights). Without kMax no
// maximum is subtracted: the caller has checked that |q| |k| <= kNoMaxBound. With kDrop the probabilities are
// masked; sums are of the unmasked ones.
#if defined(MAEIL_KERNELS_SIMD_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAEIL_KERNELS_SIMD_ATTENTION_INL_H_
#undef MAEIL_KERNELS_SIMD_ATTENTION_INL_H_
#else
#define MAEIL_KERNELS_SIMD_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/dropout.h"
#include "kernels/simd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maeil::kernels::HWY_NAMESPACE {

// Of every function below: the head size, a multiple of 4, or 0 for one that is only known at run time. Known
// sizes let the compiler unroll the products over a head's rows, which are most of the work where a head is
// small.
template <size_t kHead>
HWY_INLINE size_t HeadSize(size_t size) {
  return kHead == 0 ? size : kHead;
}

// 2^100 * 65,535 keys is far from overflow (2^127) and 2^-100 from denormals.
inline constexpr float kNoMaxBound = 100.0f;

// Where one head's rows lie: each of q, k, v, out is `size` rows of P floats.
struct HeadRows {
  size_t tokens, P, size;
  const float *q, *k, *v;
  float* maximum;  // (P): the row maxima, when kMax
  DropoutKey key;
  DropoutRate rate;
};

// Whether max |q| * max |k| > kNoMaxBound over all P lanes (the padded ones are finite too), or something is
// NaN: sums of squares have no infinity to take from another, so their sum is NaN for no other reason.
template <size_t kHead>
HWY_NOINLINE bool NeedsMaximum(const HeadRows& h) {
  const size_t size = HeadSize<kHead>(h.size);
  V q_most = ZeroV(), k_most = ZeroV(), all = ZeroV();
  for (size_t t = 0; t < h.P; t += kLanes) {
    V q = ZeroV(), k = ZeroV();
    for (size_t i = 0; i < size; ++i) {
      const V x = LoadV(h.q + i * h.P + t), y = LoadV(h.k + i * h.P + t);
      q = hn::MulAdd(x, x, q), k = hn::MulAdd(y, y, k);
    }
    q_most = hn::Max(q_most, q), k_most = hn::Max(k_most, k);
    all = hn::Add(all, hn::Add(q, k));
  }
  const Floats d;
  const float product = hn::GetLane(hn::MaxOfLanes(d, q_most)) * hn::GetLane(hn::MaxOfLanes(d, k_most));
  return std::isnan(hn::GetLane(hn::SumOfLanes(d, all))) || !(product <= kNoMaxBound * kNoMaxBound);
}

template <size_t kHead>
HWY_INLINE Tile Scores(const HeadRows& h, size_t query, size_t key) {
  return MatTile(h.k + key, h.P, 1, h.q + query, h.P, HeadSize<kHead>(h.size));
}

// maximum[query ...] of a block: a pass of its own, taken only when the bound is exceeded.
template <size_t kHead>
HWY_INLINE void BlockMaximum(const HeadRows& h, size_t query) {
  V m0 = SetV(-INFINITY), m1 = m0, m2 = m0;  // a row of -infinities has no softmax: NaN, as in PyTorch
  for (size_t key = 0; key < h.tokens; key += 4) {
    const Tile s = Scores<kHead>(h, query, key);
    m0 = hn::Max(m0, s.a0), m1 = hn::Max(m1, s.a1), m2 = hn::Max(m2, s.a2);
    if (key + 1 < h.tokens) m0 = hn::Max(m0, s.b0), m1 = hn::Max(m1, s.b1), m2 = hn::Max(m2, s.b2);
    if (key + 2 < h.tokens) m0 = hn::Max(m0, s.c0), m1 = hn::Max(m1, s.c1), m2 = hn::Max(m2, s.c2);
    if (key + 3 < h.tokens) m0 = hn::Max(m0, s.d0), m1 = hn::Max(m1, s.d1), m2 = hn::Max(m2, s.d2);
  }
  Store3(m0, m1, m2, h.maximum + query);
}

template <bool kMax>
HWY_INLINE V Exponential(V score, V maximum) {
  // Below 2^-126 a float is no longer normal; what is so small adds nothing to a sum that is at least 1.
  // NaN stays NaN, as in PyTorch: neither hn::Max nor Exp2 says what they make of it.
  if constexpr (kMax) {
    const V x = hn::Sub(score, maximum);
    return hn::IfThenElse(hn::Eq(x, x), Exp2(hn::Max(x, SetV(-126.0f))), x);
  }
  (void)maximum;
  return Exp2(score);
}

template <bool kMax>
HWY_INLINE Tile Exponentials(const Tile& s, V m0, V m1, V m2) {
  return {Exponential<kMax>(s.a0, m0), Exponential<kMax>(s.a1, m1), Exponential<kMax>(s.a2, m2),
          Exponential<kMax>(s.b0, m0), Exponential<kMax>(s.b1, m1), Exponential<kMax>(s.b2, m2),
          Exponential<kMax>(s.c0, m0), Exponential<kMax>(s.c1, m1), Exponential<kMax>(s.c2, m2),
          Exponential<kMax>(s.d0, m0), Exponential<kMax>(s.d1, m1), Exponential<kMax>(s.d2, m2)};
}

// Keys beyond the last token count for nothing.
HWY_INLINE Tile ZeroBeyond(Tile e, size_t keys) {
  if (keys < 2) e.b0 = e.b1 = e.b2 = ZeroV();
  if (keys < 3) e.c0 = e.c1 = e.c2 = ZeroV();
  if (keys < 4) e.d0 = e.d1 = e.d2 = ZeroV();
  return e;
}

// attention (`size` rows of P) of the block of queries, and 1 / sum into inverse. `p`: room for (tokens
// rounded up to 4, kBlock).
template <size_t kHead, bool kMax, bool kDrop>
HWY_INLINE void AttentionBlock(const HeadRows& h, size_t query, float* HWY_RESTRICT p,
                               float* HWY_RESTRICT out, float* HWY_RESTRICT inverse) {
  V m0 = ZeroV(), m1 = m0, m2 = m0;
  if constexpr (kMax) {
    BlockMaximum<kHead>(h, query);
    m0 = LoadV(h.maximum + query), m1 = LoadV(h.maximum + query + kLanes),
    m2 = LoadV(h.maximum + query + 2 * kLanes);
  }
  V sum0 = ZeroV(), sum1 = sum0, sum2 = sum0;
  const W threshold = DropoutThreshold(h.rate);
  float* HWY_RESTRICT row = p;
  for (size_t key = 0; key < h.tokens; key += 4, row += 4 * kBlock) {
    Tile e = Exponentials<kMax>(Scores<kHead>(h, query, key), m0, m1, m2);
    if (HWY_UNLIKELY(key + 4 > h.tokens)) e = ZeroBeyond(e, h.tokens - key);
    sum0 = hn::Add(sum0, hn::Add(hn::Add(e.a0, e.b0), hn::Add(e.c0, e.d0)));
    sum1 = hn::Add(sum1, hn::Add(hn::Add(e.a1, e.b1), hn::Add(e.c1, e.d1)));
    sum2 = hn::Add(sum2, hn::Add(hn::Add(e.a2, e.b2), hn::Add(e.c2, e.d2)));
    if constexpr (kDrop) e = KeepTile(e, h.key, threshold, static_cast<uint32_t>(key / 4 << 16 | query));
    StoreTile(e, row, kBlock);
  }
  const V one = SetV(1.0f);
  const V i0 = hn::Div(one, sum0), i1 = hn::Div(one, sum1), i2 = hn::Div(one, sum2);
  Store3(i0, i1, i2, inverse + query);
  const V scale = SetV(h.rate.scale);
  const V f0 = hn::Mul(i0, scale), f1 = hn::Mul(i1, scale), f2 = hn::Mul(i2, scale);
  for (size_t i = 0; i < HeadSize<kHead>(h.size); i += 4) {
    const Tile t = MatTile(h.v + i * h.P, 1, h.P, p, kBlock, h.tokens);
    float* HWY_RESTRICT to = out + i * h.P + query;
    Store3(hn::Mul(t.a0, f0), hn::Mul(t.a1, f1), hn::Mul(t.a2, f2), to);
    Store3(hn::Mul(t.b0, f0), hn::Mul(t.b1, f1), hn::Mul(t.b2, f2), to + h.P);
    Store3(hn::Mul(t.c0, f0), hn::Mul(t.c1, f1), hn::Mul(t.c2, f2), to + 2 * h.P);
    Store3(hn::Mul(t.d0, f0), hn::Mul(t.d1, f1), hn::Mul(t.d2, f2), to + 3 * h.P);
  }
}

template <size_t kHead, bool kMax, bool kDrop>
HWY_NOINLINE void AttentionForward(const HeadRows& h, float* p, float* out, float* inverse) {
  for (size_t query = 0; query < h.P; query += kBlock)
    AttentionBlock<kHead, kMax, kDrop>(h, query, p, out, inverse);
}

// What the backward pass of a head reads and writes, beside HeadRows. `d_out` (size, P) is overwritten.
struct HeadGradient {
  const float *out, *inverse;       // of the forward pass: (size, P), (P)
  float* d_out;                     // (size, P): gradient of `out`, zero in the padded lanes
  float *dq, *dk, *dv;              // (size, P) each, overwritten
  float *masked, *ds, *correction;  // room: (tokens rounded up to 4, P) twice, (P)
};

// From the scores up to masked = mask * e and ds = masked (d_out' . v) - e D', where d_out' = d_out * scale /
// sum and D' = (d_out . out) / sum: then dv_k = sum_q masked d_out', dq = sum_k ds k, dk = sum_q ds q need no
// further factor.
template <size_t kHead, bool kMax, bool kDrop>
HWY_INLINE void ScoreGradientBlock(const HeadRows& h, const HeadGradient& g, size_t query) {
  V m0 = ZeroV(), m1 = m0, m2 = m0;
  if constexpr (kMax) {
    m0 = LoadV(h.maximum + query), m1 = LoadV(h.maximum + query + kLanes),
    m2 = LoadV(h.maximum + query + 2 * kLanes);
  }
  const W threshold = DropoutThreshold(h.rate);
  for (size_t key = 0; key < h.tokens; key += 4) {
    float* HWY_RESTRICT masked = g.masked + key * h.P + query;
    float* HWY_RESTRICT ds = g.ds + key * h.P + query;
    Tile e = Exponentials<kMax>(Scores<kHead>(h, query, key), m0, m1, m2);
    if (HWY_UNLIKELY(key + 4 > h.tokens)) e = ZeroBeyond(e, h.tokens - key);
    StoreTile(e, ds, h.P);
    if constexpr (kDrop) e = KeepTile(e, h.key, threshold, static_cast<uint32_t>(key / 4 << 16 | query));
    StoreTile(e, masked, h.P);

    const Tile dp = MatTile(h.v + key, h.P, 1, g.d_out + query, h.P, HeadSize<kHead>(h.size));
    const V c0 = LoadV(g.correction + query), c1 = LoadV(g.correction + query + kLanes),
            c2 = LoadV(g.correction + query + 2 * kLanes);
    // The mask is already in `masked`: ds = masked dp - e D'.
    const auto put = [&](V d0, V d1, V d2, size_t at) HWY_ATTR {
      const float* HWY_RESTRICT m = masked + at;
      float* HWY_RESTRICT row = ds + at;
      Store3(hn::NegMulAdd(LoadV(row), c0, hn::Mul(LoadV(m), d0)),
             hn::NegMulAdd(LoadV(row + kLanes), c1, hn::Mul(LoadV(m + kLanes), d1)),
             hn::NegMulAdd(LoadV(row + 2 * kLanes), c2, hn::Mul(LoadV(m + 2 * kLanes), d2)), row);
    };
    put(dp.a0, dp.a1, dp.a2, 0);
    put(dp.b0, dp.b1, dp.b2, h.P);
    put(dp.c0, dp.c1, dp.c2, 2 * h.P);
    put(dp.d0, dp.d1, dp.d2, 3 * h.P);
  }
}

// d_out becomes d_out' and correction D', as above.
template <size_t kHead>
HWY_INLINE void ScaleOutputGradient(const HeadRows& h, const HeadGradient& g) {
  for (size_t t = 0; t < h.P; t += kLanes) {
    const V inverse = LoadV(g.inverse + t), factor = hn::Mul(inverse, SetV(h.rate.scale));
    V dot = ZeroV();
    for (size_t i = 0; i < HeadSize<kHead>(h.size); ++i) {
      float* HWY_RESTRICT d = g.d_out + i * h.P + t;
      dot = hn::MulAdd(LoadV(d), LoadV(g.out + i * h.P + t), dot);
      StoreV(hn::Mul(LoadV(d), factor), d);
    }
    StoreV(hn::Mul(dot, inverse), g.correction + t);
  }
}

template <size_t kHead, bool kMax, bool kDrop>
HWY_NOINLINE void AttentionBackward(const HeadRows& h, const HeadGradient& g) {
  const float ln2 = 0.69314718f;  // the scores are exponents of 2
  const size_t size = HeadSize<kHead>(h.size);
  ScaleOutputGradient<kHead>(h, g);
  for (size_t query = 0; query < h.P; query += kBlock) {
    ScoreGradientBlock<kHead, kMax, kDrop>(h, g, query);
    const V factor = SetV(ln2);
    for (size_t i = 0; i < HeadSize<kHead>(h.size); i += 4) {
      const Tile t = MatTile(h.k + i * h.P, 1, h.P, g.ds + query, h.P, h.tokens);
      float* HWY_RESTRICT to = g.dq + i * h.P + query;
      Store3(hn::Mul(t.a0, factor), hn::Mul(t.a1, factor), hn::Mul(t.a2, factor), to);
      Store3(hn::Mul(t.b0, factor), hn::Mul(t.b1, factor), hn::Mul(t.b2, factor), to + h.P);
      Store3(hn::Mul(t.c0, factor), hn::Mul(t.c1, factor), hn::Mul(t.c2, factor), to + 2 * h.P);
      Store3(hn::Mul(t.d0, factor), hn::Mul(t.d1, factor), hn::Mul(t.d2, factor), to + 3 * h.P);
    }
  }
  const size_t keys = (h.tokens + 3) / 4 * 4;
  for (size_t i = 0; i < size; ++i) {
    std::fill(g.dk + i * h.P + keys, g.dk + (i + 1) * h.P, 0.0f);
    std::fill(g.dv + i * h.P + keys, g.dv + (i + 1) * h.P, 0.0f);
  }
  DotRows<false>(g.d_out, h.P, size, g.masked, h.P, keys, h.P, 1.0f, g.dv, h.P);
  DotRows<false>(h.q, h.P, size, g.ds, h.P, keys, h.P, ln2, g.dk, h.P);
}

// One head's functions for a head size; [needs maximum][dropout].
struct HeadFunctions {
  bool (*needs_maximum)(const HeadRows&);
  void (*forward[2][2])(const HeadRows&, float* p, float* out, float* inverse);
  void (*backward[2][2])(const HeadRows&, const HeadGradient&);
};
template <size_t kHead>
HWY_INLINE HeadFunctions FunctionsFor() {
  return {NeedsMaximum<kHead>,
          {{AttentionForward<kHead, false, false>, AttentionForward<kHead, false, true>},
           {AttentionForward<kHead, true, false>, AttentionForward<kHead, true, true>}},
          {{AttentionBackward<kHead, false, false>, AttentionBackward<kHead, false, true>},
           {AttentionBackward<kHead, true, false>, AttentionBackward<kHead, true, true>}}};
}
// From 16 on the size at run time is as fast as a known one: the loops over it are long enough.
HWY_INLINE HeadFunctions FunctionsOf(size_t head_size) {
  switch (head_size) {
    case 4:
      return FunctionsFor<4>();
    case 8:
      return FunctionsFor<8>();
    default:
      return FunctionsFor<0>();
  }
}

}  // namespace maeil::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
