// The layers: norm, products, residuals and the order of everything, for each instruction set, and their
// dispatch.
//
// Everything is [feature][token], so norm, ReLU, residuals and softmax sums are vertical. The padded lanes
// hold garbage that nobody reads in the forward pass. In the backward pass they are zero where gradients
// start (the last layer's dX, and the last keys' dK and dV), and every step keeps them zero.
#include "kernels/encoder_simd.h"

#include <algorithm>
#include <cmath>
#include <vector>

// One binary carries the build's baseline, AVX2 and AVX-512; the sets between would cost build time for no
// machine of interest.
#include "hwy/detect_targets.h"
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/encoder_simd.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/simd_attention-inl.h"
#include "kernels/simd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maeil::kernels::HWY_NAMESPACE {

struct Sizes {
  explicit Sizes(const EncoderShape& s)
      : F(s.tokens),
        D(s.width),
        H(s.heads),
        M(s.feed_forward),
        L(s.layers),
        P((F + kBlock - 1) / kBlock * kBlock),
        head_size(D / H) {}
  size_t F, D, H, M, L, P, head_size;
};

// What one layer's forward pass leaves, and memory of a row.
struct LayerRows {
  float *normal1, *qkv, *attention, *normal2, *hidden;  // rows of P: D, 3D, D, D, M
  float *rstd1, *rstd2, *inverse, *maximum;             // rows of P: 1, 1, H, H
  float* needs_maximum;                                 // (H): 0 or 1
};

// Hands out a row's memory, each piece 64-byte aligned; with a null base it only counts.
struct Room {
  float* base;
  size_t used = 0;
  float* take(size_t floats) {
    float* taken = base == nullptr ? nullptr : base + used;
    used += (floats + 15) / 16 * 16;
    return taken;
  }
};

HWY_INLINE LayerRows TakeLayer(const Sizes& z, Room& room) {
  LayerRows r;
  r.normal1 = room.take(z.D * z.P), r.qkv = room.take(3 * z.D * z.P), r.attention = room.take(z.D * z.P);
  r.normal2 = room.take(z.D * z.P), r.hidden = room.take(z.M * z.P);
  r.rstd1 = room.take(z.P), r.rstd2 = room.take(z.P);
  r.inverse = room.take(z.H * z.P), r.maximum = room.take(z.H * z.P), r.needs_maximum = room.take(z.H);
  return r;
}

// (F, D) tokens to rows of P, zero beyond F.
HWY_INLINE void TransposeIn(const Sizes& z, const float* HWY_RESTRICT tokens, float* HWY_RESTRICT x) {
  for (size_t i = 0; i < z.D; ++i) std::fill(x + i * z.P + z.F, x + (i + 1) * z.P, 0.0f);
  for (size_t t = 0; t < z.F; ++t) {
    for (size_t i = 0; i < z.D; ++i) x[i * z.P + t] = tokens[t * z.D + i];
  }
}

HWY_INLINE void MeanOverTokens(const Sizes& z, const float* x, float* pooled) {
  for (size_t i = 0; i < z.D; ++i, x += z.P) {
    float sum = 0;
    size_t t = 0;
    V s = ZeroV();
    for (; t + kLanes <= z.F; t += kLanes) s = hn::Add(s, LoadV(x + t));
    for (; t < z.F; ++t) sum += x[t];
    pooled[i] = (hn::GetLane(hn::SumOfLanes(Floats(), s)) + sum) / static_cast<float>(z.F);
  }
}

// normal = (x - mean) * rstd over the D features of each token.
HWY_NOINLINE void Norm(const Sizes& z, const float* HWY_RESTRICT x, float* HWY_RESTRICT normal,
                       float* HWY_RESTRICT rstd) {
  const V share = SetV(1.0f / static_cast<float>(z.D));
  for (size_t t = 0; t < z.P; t += kBlock) {
    V s0 = ZeroV(), s1 = s0, s2 = s0, q0 = s0, q1 = s0, q2 = s0;
    for (size_t i = 0; i < z.D; ++i) {
      const float* HWY_RESTRICT row = x + i * z.P + t;
      s0 = hn::Add(s0, LoadV(row)), s1 = hn::Add(s1, LoadV(row + kLanes)),
      s2 = hn::Add(s2, LoadV(row + 2 * kLanes));
    }
    const V m0 = hn::Mul(s0, share), m1 = hn::Mul(s1, share), m2 = hn::Mul(s2, share);
    for (size_t i = 0; i < z.D; ++i) {
      const float* HWY_RESTRICT row = x + i * z.P + t;
      const V d0 = hn::Sub(LoadV(row), m0), d1 = hn::Sub(LoadV(row + kLanes), m1),
              d2 = hn::Sub(LoadV(row + 2 * kLanes), m2);
      q0 = hn::MulAdd(d0, d0, q0), q1 = hn::MulAdd(d1, d1, q1), q2 = hn::MulAdd(d2, d2, q2);
    }
    const V one = SetV(1.0f), epsilon = SetV(kNormEpsilon);
    const V r0 = hn::Div(one, hn::Sqrt(hn::MulAdd(q0, share, epsilon)));
    const V r1 = hn::Div(one, hn::Sqrt(hn::MulAdd(q1, share, epsilon)));
    const V r2 = hn::Div(one, hn::Sqrt(hn::MulAdd(q2, share, epsilon)));
    Store3(r0, r1, r2, rstd + t);
    for (size_t i = 0; i < z.D; ++i) {
      const float* HWY_RESTRICT row = x + i * z.P + t;
      Store3(hn::Mul(hn::Sub(LoadV(row), m0), r0), hn::Mul(hn::Sub(LoadV(row + kLanes), m1), r1),
             hn::Mul(hn::Sub(LoadV(row + 2 * kLanes), m2), r2), normal + i * z.P + t);
    }
  }
}

// dx += rstd * (g - mean(g) - normal * mean(g * normal)).
HWY_NOINLINE void NormBackward(const Sizes& z, const float* HWY_RESTRICT g, const float* HWY_RESTRICT normal,
                               const float* HWY_RESTRICT rstd, float* HWY_RESTRICT dx) {
  const V share = SetV(1.0f / static_cast<float>(z.D));
  for (size_t t = 0; t < z.P; t += kBlock) {
    V s0 = ZeroV(), s1 = s0, s2 = s0, q0 = s0, q1 = s0, q2 = s0;
    for (size_t i = 0; i < z.D; ++i) {
      const float* HWY_RESTRICT row = g + i * z.P + t;
      const float* HWY_RESTRICT n = normal + i * z.P + t;
      const V g0 = LoadV(row), g1 = LoadV(row + kLanes), g2 = LoadV(row + 2 * kLanes);
      s0 = hn::Add(s0, g0), s1 = hn::Add(s1, g1), s2 = hn::Add(s2, g2);
      q0 = hn::MulAdd(g0, LoadV(n), q0), q1 = hn::MulAdd(g1, LoadV(n + kLanes), q1),
      q2 = hn::MulAdd(g2, LoadV(n + 2 * kLanes), q2);
    }
    s0 = hn::Mul(s0, share), s1 = hn::Mul(s1, share), s2 = hn::Mul(s2, share);
    q0 = hn::Mul(q0, share), q1 = hn::Mul(q1, share), q2 = hn::Mul(q2, share);
    const V r0 = LoadV(rstd + t), r1 = LoadV(rstd + t + kLanes), r2 = LoadV(rstd + t + 2 * kLanes);
    for (size_t i = 0; i < z.D; ++i) {
      const float* HWY_RESTRICT row = g + i * z.P + t;
      const float* HWY_RESTRICT n = normal + i * z.P + t;
      float* HWY_RESTRICT to = dx + i * z.P + t;
      Store3(hn::MulAdd(r0, hn::NegMulAdd(LoadV(n), q0, hn::Sub(LoadV(row), s0)), LoadV(to)),
             hn::MulAdd(r1, hn::NegMulAdd(LoadV(n + kLanes), q1, hn::Sub(LoadV(row + kLanes), s1)),
                        LoadV(to + kLanes)),
             hn::MulAdd(r2, hn::NegMulAdd(LoadV(n + 2 * kLanes), q2, hn::Sub(LoadV(row + 2 * kLanes), s2)),
                        LoadV(to + 2 * kLanes)),
             to);
    }
  }
}

HWY_INLINE Tile AddBias(const Tile& t, const float* HWY_RESTRICT bias) {
  const V a = SetV(bias[0]), b = SetV(bias[1]), c = SetV(bias[2]), d = SetV(bias[3]);
  return {hn::Add(t.a0, a), hn::Add(t.a1, a), hn::Add(t.a2, a), hn::Add(t.b0, b),
          hn::Add(t.b1, b), hn::Add(t.b2, b), hn::Add(t.c0, c), hn::Add(t.c1, c),
          hn::Add(t.c2, c), hn::Add(t.d0, d), hn::Add(t.d1, d), hn::Add(t.d2, d)};
}
// NaN stays NaN, as in PyTorch: hn::Max gives either operand then.
HWY_INLINE V Relu(V x) { return hn::IfThenZeroElse(hn::Le(x, ZeroV()), x); }
HWY_INLINE Tile Relu(const Tile& t) {
  return {Relu(t.a0), Relu(t.a1), Relu(t.a2), Relu(t.b0), Relu(t.b1), Relu(t.b2),
          Relu(t.c0), Relu(t.c1), Relu(t.c2), Relu(t.d0), Relu(t.d1), Relu(t.d2)};
}
HWY_INLINE Tile Scale(const Tile& t, float factor) {
  const V f = SetV(factor);
  return {hn::Mul(t.a0, f), hn::Mul(t.a1, f), hn::Mul(t.a2, f), hn::Mul(t.b0, f),
          hn::Mul(t.b1, f), hn::Mul(t.b2, f), hn::Mul(t.c0, f), hn::Mul(t.c1, f),
          hn::Mul(t.c2, f), hn::Mul(t.d0, f), hn::Mul(t.d1, f), hn::Mul(t.d2, f)};
}
HWY_INLINE Tile LoadTile(const float* HWY_RESTRICT p, size_t s) {
  return {LoadV(p),         LoadV(p + kLanes),         LoadV(p + 2 * kLanes),
          LoadV(p + s),     LoadV(p + s + kLanes),     LoadV(p + s + 2 * kLanes),
          LoadV(p + 2 * s), LoadV(p + 2 * s + kLanes), LoadV(p + 2 * s + 2 * kLanes),
          LoadV(p + 3 * s), LoadV(p + 3 * s + kLanes), LoadV(p + 3 * s + 2 * kLanes)};
}
HWY_INLINE Tile AddTile(const Tile& t, const Tile& u) {
  return {hn::Add(t.a0, u.a0), hn::Add(t.a1, u.a1), hn::Add(t.a2, u.a2), hn::Add(t.b0, u.b0),
          hn::Add(t.b1, u.b1), hn::Add(t.b2, u.b2), hn::Add(t.c0, u.c0), hn::Add(t.c1, u.c1),
          hn::Add(t.c2, u.c2), hn::Add(t.d0, u.d0), hn::Add(t.d1, u.d1), hn::Add(t.d2, u.d2)};
}

enum class Finish {
  kPlain,     // y = Wx + b
  kRelu,      // y = dropout(relu(Wx + b))
  kResidual,  // y += dropout(Wx + b)
};

// Masks and scale of one place, or none.
struct Mask {
  bool active = false;
  DropoutKey key;
  DropoutRate rate;
};
HWY_INLINE Mask MaskAt(const RowDropout& dropout, uint32_t site) {
  return {dropout.active(), dropout.active() ? dropout.key(site) : DropoutKey{}, dropout.rate};
}
HWY_INLINE Tile Apply(const Mask& mask, const Tile& t, size_t output, size_t token) {
  return Scale(
      KeepTile(t, mask.key, DropoutThreshold(mask.rate), static_cast<uint32_t>(output / 4 << 16 | token)),
      mask.rate.scale);
}

// y (out rows) from x (in rows) by packed blocks of four outputs.
template <Finish kFinish>
HWY_NOINLINE void Linear(size_t P, size_t in, size_t out, const float* HWY_RESTRICT w,
                         const float* HWY_RESTRICT bias, const float* HWY_RESTRICT x, const Mask& mask,
                         float* HWY_RESTRICT y) {
  for (size_t t = 0; t < P; t += kBlock) {
    for (size_t o = 0; o < out; o += 4) {
      Tile tile = AddBias(MatTile(w + o * in, 4, 1, x + t, P, in), bias + o);
      float* HWY_RESTRICT to = y + o * P + t;
      if constexpr (kFinish == Finish::kRelu) tile = Relu(tile);
      if constexpr (kFinish != Finish::kPlain) {
        if (mask.active) tile = Apply(mask, tile, o, t);
      }
      if constexpr (kFinish == Finish::kResidual) tile = AddTile(tile, LoadTile(to, P));
      StoreTile(tile, to, P);
    }
  }
}

// dx (in rows) = W^T dy (out rows). With `hidden`, its ReLU and dropout too: zero where hidden is not
// positive, else scaled.
template <bool kThroughRelu>
HWY_NOINLINE void LinearBackward(size_t P, size_t out, size_t in, const float* HWY_RESTRICT w_t,
                                 const float* HWY_RESTRICT dy, const float* HWY_RESTRICT hidden, float scale,
                                 float* HWY_RESTRICT dx) {
  const auto open = [scale](V g, V h)
                        HWY_ATTR { return hn::IfThenZeroElse(hn::Le(h, ZeroV()), hn::Mul(g, SetV(scale))); };
  for (size_t t = 0; t < P; t += kBlock) {
    for (size_t i = 0; i < in; i += 4) {
      Tile g = MatTile(w_t + i * out, 4, 1, dy + t, P, out);
      if constexpr (kThroughRelu) {
        const float* HWY_RESTRICT h = hidden + i * P + t;
        const float *h1 = h + P, *h2 = h1 + P, *h3 = h2 + P;
        g = {open(g.a0, LoadV(h)),  open(g.a1, LoadV(h + kLanes)),  open(g.a2, LoadV(h + 2 * kLanes)),
             open(g.b0, LoadV(h1)), open(g.b1, LoadV(h1 + kLanes)), open(g.b2, LoadV(h1 + 2 * kLanes)),
             open(g.c0, LoadV(h2)), open(g.c1, LoadV(h2 + kLanes)), open(g.c2, LoadV(h2 + 2 * kLanes)),
             open(g.d0, LoadV(h3)), open(g.d1, LoadV(h3 + kLanes)), open(g.d2, LoadV(h3 + 2 * kLanes))};
      }
      StoreTile(g, dx + i * P + t, P);
    }
  }
}

// dy = dropout mask and scale of dx: what comes back through a residual branch's dropout. D rows.
HWY_NOINLINE const float* MaskedGradient(size_t P, size_t D, const Mask& mask, const float* dx, float* dy) {
  if (!mask.active) return dx;
  for (size_t o = 0; o < D; o += 4) {
    for (size_t t = 0; t < P; t += kBlock)
      StoreTile(Apply(mask, LoadTile(dx + o * P + t, P), o, t), dy + o * P + t, P);
  }
  return dy;
}

HWY_INLINE HeadRows RowsOfHead(const Sizes& z, const LayerRows& r, size_t head, const Mask& mask) {
  const size_t at = head * z.head_size * z.P;
  return {z.F,
          z.P,
          z.head_size,
          r.qkv + at,
          r.qkv + z.D * z.P + at,
          r.qkv + 2 * z.D * z.P + at,
          r.maximum + head * z.P,
          mask.key,
          mask.rate};
}

HWY_INLINE void LayerForward(const Sizes& z, const PackedOffsets& at, const float* w, int layer,
                             const RowDropout& dropout, const LayerRows& r, float* p, float* x) {
  const int heads = static_cast<int>(z.H);
  Norm(z, x, r.normal1, r.rstd1);
  Linear<Finish::kPlain>(z.P, z.D, 3 * z.D, w + at.in, w + at.in_bias, r.normal1, {}, r.qkv);
  const HeadFunctions functions = FunctionsOf(z.head_size);
  for (size_t head = 0; head < z.H; ++head) {
    const Mask mask = MaskAt(dropout, dropout_site(heads, layer, static_cast<int>(head)));
    const HeadRows rows = RowsOfHead(z, r, head, mask);
    const bool maximum = functions.needs_maximum(rows);
    r.needs_maximum[head] = maximum ? 1.0f : 0.0f;
    functions.forward[maximum][mask.active](rows, p, r.attention + head * z.head_size * z.P,
                                            r.inverse + head * z.P);
  }
  Linear<Finish::kResidual>(z.P, z.D, z.D, w + at.out, w + at.out_bias, r.attention,
                            MaskAt(dropout, dropout_site(heads, layer, heads)), x);
  Norm(z, x, r.normal2, r.rstd2);
  Linear<Finish::kRelu>(z.P, z.D, z.M, w + at.w1, w + at.b1, r.normal2,
                        MaskAt(dropout, dropout_site(heads, layer, heads + 1)), r.hidden);
  Linear<Finish::kResidual>(z.P, z.M, z.D, w + at.w2, w + at.b2, r.hidden,
                            MaskAt(dropout, dropout_site(heads, layer, heads + 2)), x);
}

size_t ScratchSize(const EncoderShape& shape, bool training) {
  const Sizes z(shape);
  Room room{nullptr};
  const size_t keys = (z.F + 3) / 4 * 4;
  room.take(z.D * z.P), room.take(keys * kBlock);
  for (size_t layer = 0; layer < (training ? z.L : 1); ++layer) TakeLayer(z, room);
  if (training) {
    room.take(z.D * z.P), room.take(z.D * z.P), room.take(std::max(z.M, 3 * z.D) * z.P),
        room.take(2 * keys * z.P), room.take(z.P);
  }
  return room.used;
}

void Forward(const SimdCall& call, const float* tokens, float* pooled) {
  const Sizes z(call.shape);
  const PackedOffsets at = packed_offsets(call.shape);
  Room room{call.scratch};
  float* x = room.take(z.D * z.P);
  float* p = room.take((z.F + 3) / 4 * 4 * kBlock);
  const LayerRows rows = TakeLayer(z, room);
  TransposeIn(z, tokens, x);
  for (size_t layer = 0; layer < z.L; ++layer) {
    LayerForward(z, at, call.packed + layer * at.size, static_cast<int>(layer), RowDropout{}, rows, p, x);
  }
  MeanOverTokens(z, x, pooled);
}

void ForwardTraining(const SimdCall& call, const float* tokens, const RowDropout& dropout, float* pooled) {
  const Sizes z(call.shape);
  const PackedOffsets at = packed_offsets(call.shape);
  Room room{call.scratch};
  float* x = room.take(z.D * z.P);
  float* p = room.take((z.F + 3) / 4 * 4 * kBlock);
  TransposeIn(z, tokens, x);
  for (size_t layer = 0; layer < z.L; ++layer) {
    LayerForward(z, at, call.packed + layer * at.size, static_cast<int>(layer), dropout, TakeLayer(z, room),
                 p, x);
  }
  MeanOverTokens(z, x, pooled);
}

struct BackwardRows {
  float *dx, *dy, *branch, *wide, *pairs, *correction;  // D, D, D rows; max(M, 3D) rows; two (keys, P); (P)
};

HWY_INLINE void LayerBackward(const Sizes& z, const PackedOffsets& at, const LayerOffsets& to, const float* w,
                              int layer, const RowDropout& dropout, const LayerRows& r, const BackwardRows& b,
                              float* g) {
  const int heads = static_cast<int>(z.H);
  const size_t P = z.P;
  const float* dy =
      MaskedGradient(P, z.D, MaskAt(dropout, dropout_site(heads, layer, heads + 2)), b.dx, b.dy);
  DotRows<true>(dy, P, z.D, r.hidden, P, z.M, P, 1.0f, g + to.w2, z.M);
  AddRowSums(dy, z.D, P, g + to.b2);
  LinearBackward<true>(P, z.D, z.M, w + at.w2_t, dy, r.hidden, dropout.rate.scale, b.wide);
  DotRows<true>(b.wide, P, z.M, r.normal2, P, z.D, P, 1.0f, g + to.w1, z.D);
  AddRowSums(b.wide, z.M, P, g + to.b1);
  LinearBackward<false>(P, z.M, z.D, w + at.w1_t, b.wide, nullptr, 1, b.branch);
  NormBackward(z, b.branch, r.normal2, r.rstd2, b.dx);

  dy = MaskedGradient(P, z.D, MaskAt(dropout, dropout_site(heads, layer, heads)), b.dx, b.dy);
  DotRows<true>(dy, P, z.D, r.attention, P, z.D, P, 1.0f, g + to.out_weight, z.D);
  AddRowSums(dy, z.D, P, g + to.out_bias);
  LinearBackward<false>(P, z.D, z.D, w + at.out_t, dy, nullptr, 1, b.branch);
  const size_t keys = (z.F + 3) / 4 * 4;
  const HeadFunctions functions = FunctionsOf(z.head_size);
  for (size_t head = 0; head < z.H; ++head) {
    const Mask mask = MaskAt(dropout, dropout_site(heads, layer, static_cast<int>(head)));
    const HeadRows rows = RowsOfHead(z, r, head, mask);
    const size_t row = head * z.head_size * P;
    const HeadGradient gradient{r.attention + row, r.inverse + head * P,   b.branch + row,
                                b.wide + row,      b.wide + z.D * P + row, b.wide + 2 * z.D * P + row,
                                b.pairs,           b.pairs + keys * P,     b.correction};
    functions.backward[r.needs_maximum[head] != 0][mask.active](rows, gradient);
  }
  DotRows<true>(b.wide, P, 3 * z.D, r.normal1, P, z.D, P, 1.0f, g + to.in_weight, z.D);
  AddRowSums(b.wide, 3 * z.D, P, g + to.in_bias);
  LinearBackward<false>(P, 3 * z.D, z.D, w + at.in_t, b.wide, nullptr, 1, b.branch);
  NormBackward(z, b.branch, r.normal1, r.rstd1, b.dx);
}

void Backward(const SimdCall& call, const float* pooled_gradient, const RowDropout& dropout,
              float* token_gradient, float* g) {
  const Sizes z(call.shape);
  const PackedOffsets at = packed_offsets(call.shape);
  const LayerOffsets to = layer_offsets(call.shape);
  const size_t keys = (z.F + 3) / 4 * 4;
  Room room{call.scratch};
  BackwardRows b;
  b.dx = room.take(z.D * z.P);  // the forward pass is done with x
  room.take(keys * kBlock);
  std::vector<LayerRows> layers(z.L);
  for (LayerRows& rows : layers) rows = TakeLayer(z, room);
  b.dy = room.take(z.D * z.P), b.branch = room.take(z.D * z.P),
  b.wide = room.take(std::max(z.M, 3 * z.D) * z.P);
  b.pairs = room.take(2 * keys * z.P), b.correction = room.take(z.P);

  for (size_t i = 0; i < z.D; ++i) {
    float* row = b.dx + i * z.P;
    std::fill(row, row + z.F, pooled_gradient[i] / static_cast<float>(z.F));
    std::fill(row + z.F, row + z.P, 0.0f);
  }
  for (size_t layer = z.L; layer-- > 0;) {
    LayerBackward(z, at, to, call.packed + layer * at.size, static_cast<int>(layer), dropout, layers[layer],
                  b, g + layer * to.size);
  }
  for (size_t t = 0; t < z.F; ++t) {
    for (size_t i = 0; i < z.D; ++i) token_gradient[t * z.D + i] = b.dx[i * z.P + t];
  }
}

}  // namespace maeil::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maeil::kernels {

HWY_EXPORT(ScratchSize);
HWY_EXPORT(Forward);
HWY_EXPORT(ForwardTraining);
HWY_EXPORT(Backward);

size_t simd_scratch_size(const EncoderShape& shape, bool training) {
  return HWY_DYNAMIC_DISPATCH(ScratchSize)(shape, training);
}
void simd_forward(const SimdCall& call, const float* tokens, float* pooled) {
  HWY_DYNAMIC_DISPATCH(Forward)(call, tokens, pooled);
}
void simd_forward_training(const SimdCall& call, const float* tokens, const RowDropout& dropout,
                           float* pooled) {
  HWY_DYNAMIC_DISPATCH(ForwardTraining)(call, tokens, dropout, pooled);
}
void simd_backward(const SimdCall& call, const float* pooled_gradient, const RowDropout& dropout,
                   float* token_gradient, float* folded_gradient) {
  HWY_DYNAMIC_DISPATCH(Backward)(call, pooled_gradient, dropout, token_gradient, folded_gradient);
}

int64_t simd_targets() {
  hwy::SetSupportedTargetsForTest(0);
  return hwy::SupportedTargets() & HWY_TARGETS;
}
const char* simd_name(int64_t target) { return hwy::TargetName(target); }
void simd_use(int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace maeil::kernels
#endif
