// The reference against finite differences, and each instruction set against the reference: all token counts
// up to two blocks and beyond, with and without dropout, with small scores and with ones that need the row
// maximum.
#include "kernels/encoder.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>

#include "base/philox.h"
#include "kernels/encoder_simd.h"
#include "kernels/instruction_set.h"

namespace maeil::kernels {
namespace {

template <class Real>
std::vector<Real> draw(size_t n, double size, uint64_t seed) {
  RandomSequence random(seed, RandomStream::kInit, 0);
  std::vector<Real> x(n);
  for (Real& value : x) value = static_cast<Real>(static_cast<float>((2 * random.next_uniform() - 1) * size));
  return x;
}

// |a - b| / |b| in the l2 norm; infinity where something is not finite or the lengths differ.
template <class A, class B>
double relative_error(const A& a, const B& b) {
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  if (!std::isfinite(difference) || !std::isfinite(norm)) return INFINITY;
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

// Layers with norms near 1 and the query and key weights times `query_size`.
template <class Real>
std::vector<Real> draw_layers(const EncoderShape& s, double query_size, uint64_t seed) {
  const LayerOffsets at = layer_offsets(s);
  const size_t d = static_cast<size_t>(s.width);
  std::vector<Real> layers = draw<Real>(at.size * s.layers, 0.4, seed);
  for (int l = 0; l < s.layers; ++l) {
    Real* layer = layers.data() + l * at.size;
    for (size_t i = 0; i < 2 * d * d; ++i) layer[at.in_weight + i] *= static_cast<Real>(query_size);
    for (size_t i = 0; i < d; ++i) layer[at.norm1_weight + i] += 1, layer[at.norm2_weight + i] += 1;
  }
  return layers;
}

RowDropout some_dropout(float rate) { return {dropout_rate(rate), 11, 12, 13}; }

TEST(EncoderReference, GradientsAgreeWithFiniteDifferences) {
  const EncoderShape shape{5, 6, 2, 7, 2};
  const size_t fd = size_t(shape.tokens) * shape.width;
  for (float rate : {0.0f, 0.3f}) {
    const RowDropout dropout = some_dropout(rate);
    std::vector<double> layers = draw_layers<double>(shape, 1, 1), tokens = draw<double>(fd, 1, 2);
    const std::vector<double> direction = draw<double>(shape.width, 1, 3);
    EncoderTape<double> tape;
    std::vector<double> pooled(shape.width), token_gradient(fd), gradient(layers.size());
    const auto value = [&] {
      encoder_forward_ref(shape, layers.data(), tokens.data(), dropout, pooled.data(), tape);
      double sum = 0;
      for (size_t i = 0; i < pooled.size(); ++i) sum += pooled[i] * direction[i];
      return sum;
    };
    value();
    encoder_backward_ref(shape, layers.data(), tape, direction.data(), dropout, token_gradient.data(),
                         gradient.data());
    const auto compare = [&](std::vector<double>& x, const std::vector<double>& g, const char* what) {
      for (size_t i = 0; i < x.size(); ++i) {
        const double h = 1e-6, kept = x[i];
        x[i] = kept + h;
        const double above = value();
        x[i] = kept - h;
        const double below = value();
        x[i] = kept;
        // Central difference: h^2 truncation and 1e-16 / h rounding.
        ASSERT_NEAR(g[i], (above - below) / (2 * h), 1e-8 + 1e-6 * std::abs(g[i]))
            << what << " " << i << " dropout " << rate;
      }
    };
    compare(tokens, token_gradient, "token");
    compare(layers, gradient, "parameter");
  }
}

// Everything that an encoder computes for one row.
struct Outcome {
  std::vector<float> scored, pooled, token_gradient, gradient;
};

Outcome run(const EncoderShape& shape, Implementation implementation, const std::vector<float>& layers,
            const std::vector<float>& tokens, const std::vector<float>& pooled_gradient,
            const RowDropout& dropout) {
  EncoderWeights weights(shape, implementation);
  weights.pack(layers.data());
  EncoderScratch scratch;
  constexpr size_t kGuard = 8;
  constexpr float kMark = 12345.0f;
  const auto guarded = [&](size_t n) { return std::vector<float>(n + kGuard, kMark); };
  Outcome o{guarded(shape.width), guarded(shape.width), guarded(tokens.size()), guarded(layers.size())};
  std::vector<float> sums(folded_gradient_size(weights));
  encoder_forward(weights, tokens.data(), o.scored.data(), scratch);
  encoder_forward_training(weights, tokens.data(), dropout, o.pooled.data(), scratch);
  encoder_backward(weights, pooled_gradient.data(), dropout, o.token_gradient.data(), sums.data(), scratch);
  unfold_gradient(weights, layers.data(), sums.data(), o.gradient.data());
  for (auto* x : {&o.scored, &o.pooled, &o.token_gradient, &o.gradient}) {
    for (size_t i = x->size() - kGuard; i < x->size(); ++i)
      EXPECT_EQ((*x)[i], kMark) << "written past the end";
    x->resize(x->size() - kGuard);
  }
  return o;
}

// Rounding: float sums of some hundred terms through up to six layers reach 2e-5 (the survivors of dropout
// 0.9 are scaled by 10); with large scores the exponents' errors are multiplied by the score (up to 1000).
// Wrong code is off by 1e-2 and more.
void compare_with_reference(const EncoderShape& shape, double query_size, float rate, uint64_t seed) {
  const std::vector<float> layers = draw_layers<float>(shape, query_size, seed);
  const std::vector<float> tokens = draw<float>(size_t(shape.tokens) * shape.width, 2, seed + 1);
  const std::vector<float> pooled_gradient = draw<float>(shape.width, 1, seed + 2);
  const RowDropout dropout = some_dropout(rate);
  const Outcome fast = run(shape, Implementation::kBest, layers, tokens, pooled_gradient, dropout);
  const Outcome slow = run(shape, Implementation::kReference, layers, tokens, pooled_gradient, dropout);
  const double tolerance = query_size > 1 ? 2e-3 : 1e-4;
  EXPECT_LE(relative_error(fast.scored, slow.scored), tolerance);
  EXPECT_LE(relative_error(fast.pooled, slow.pooled), tolerance);
  EXPECT_LE(relative_error(fast.token_gradient, slow.token_gradient), tolerance);
  EXPECT_LE(relative_error(fast.gradient, slow.gradient), tolerance);
}

class EachTarget : public ::testing::Test {
 protected:
  void TearDown() override { simd_targets(); }  // back to the best
  template <class Body>
  void for_each(const Body& body) {
    ASSERT_TRUE(has_simd({4, 8, 1, 4, 1})) << "no instruction set passed the start-up check";
    for (int64_t left = simd_targets(); left != 0; left &= left - 1) {
      simd_use(left & -left);
      SCOPED_TRACE(simd_name(left & -left));
      std::printf("[  target  ] %s\n", simd_name(left & -left));
      body();
    }
    simd_use(simd_targets() & -simd_targets());
  }
};

TEST_F(EachTarget, AgreesWithTheReferenceForAllTokenCounts) {
  for_each([] {
    for (int tokens = 1; tokens <= 100; tokens += tokens < 54 ? 1 : 7) {
      SCOPED_TRACE(tokens);
      compare_with_reference({tokens, 16, 2, 12, 1}, 1, tokens % 2 ? 0.3f : 0.0f, 100 + tokens);
    }
  });
}

TEST_F(EachTarget, AgreesWithTheReferenceForOtherShapes) {
  for_each([] {
    for (const EncoderShape& shape : {EncoderShape{142, 32, 4, 64, 2},
                                      {142, 32, 4, 64, 6},
                                      {10, 8, 1, 4, 3},
                                      {33, 40, 5, 20, 2},
                                      {7, 64, 8, 128, 1}}) {
      for (float rate : {0.0f, 0.3f, 0.9f}) {
        SCOPED_TRACE(testing::Message()
                     << shape.tokens << " tokens, width " << shape.width << ", dropout " << rate);
        compare_with_reference(shape, 1, rate, 7);
      }
    }
  });
}

// 4 and 8 have code of their own, the other multiples of 4 share one.
TEST_F(EachTarget, AgreesWithTheReferenceForAllHeadSizes) {
  for_each([] {
    for (const int head_size : {4, 8, 12, 16, 20, 32, 64}) {
      for (const int tokens : {1, 3, 30, 53}) {
        for (const float rate : {0.0f, 0.3f}) {
          SCOPED_TRACE(testing::Message()
                       << "head size " << head_size << ", " << tokens << " tokens, dropout " << rate);
          const EncoderShape shape{tokens, 2 * head_size, 2, 12, 2};
          ASSERT_TRUE(has_simd(shape));
          compare_with_reference(shape, 1, rate, 300 + tokens);
          // With the row maximum; one layer, and scores that do not grow with the head: rounding of large
          // ones would turn a ReLU.
          compare_with_reference({tokens, 2 * head_size, 2, 12, 1}, head_size > 8 ? 3 : 8, rate,
                                 400 + tokens);
        }
      }
      compare_with_reference({142, 3 * head_size, 3, 64, 2}, 1, 0.3f, 9);
    }
  });
}

TEST_F(EachTarget, LargeScoresTakeTheMaximumAndStayFinite) {
  for_each([] {
    for (double size : {4.0, 8.0, 20.0}) {
      SCOPED_TRACE(size);
      compare_with_reference({37, 16, 2, 12, 1}, size, 0.0f, 21);
      compare_with_reference({37, 16, 2, 12, 1}, size, 0.3f, 22);
    }
    const EncoderShape shape{37, 16, 2, 12, 2};
    const std::vector<float> layers = draw_layers<float>(shape, 1000, 23),
                             tokens = draw<float>(37 * 16, 2, 24);
    const Outcome huge =
        run(shape, Implementation::kBest, layers, tokens, draw<float>(16, 1, 25), some_dropout(0.3f));
    for (const auto* x : {&huge.scored, &huge.pooled, &huge.token_gradient, &huge.gradient}) {
      for (float value : *x) ASSERT_TRUE(std::isfinite(value));
    }
  });
}

// What is no number stays none: one NaN or infinity, in any token, in any weight that PyTorch would multiply
// it with, gives what the reference gives, value by value. NaNs of several payloads: a kernel that works on
// bits may turn one into a number.
TEST_F(EachTarget, NaNAndInfinityComeOutAsInTheReference) {
  for_each([] {
    const EncoderShape shape{29, 16, 2, 12, 2};
    const LayerOffsets at = layer_offsets(shape);
    const std::vector<float> tokens = draw<float>(size_t(shape.tokens) * shape.width, 2, 32),
                             gradient = draw<float>(shape.width, 1, 33);
    const auto pooled_both = [&](const std::vector<float>& layers, const std::vector<float>& x) {
      const Outcome fast = run(shape, Implementation::kBest, layers, x, gradient, some_dropout(0));
      const Outcome slow = run(shape, Implementation::kReference, layers, x, gradient, some_dropout(0));
      int numbers = 0;
      for (size_t i = 0; i < slow.scored.size(); ++i) {
        EXPECT_EQ(std::isnan(fast.scored[i]), std::isnan(slow.scored[i]))
            << i << ": " << fast.scored[i] << " " << slow.scored[i];
        EXPECT_EQ(std::isnan(fast.pooled[i]), std::isnan(slow.pooled[i])) << i;
        numbers += !std::isnan(slow.scored[i]);
      }
      for (size_t i = 0; i < slow.gradient.size(); ++i) {
        EXPECT_EQ(std::isnan(fast.gradient[i]), std::isnan(slow.gradient[i])) << "gradient " << i;
      }
      return numbers;
    };
    const std::vector<float> layers = draw_layers<float>(shape, 1, 31);
    EXPECT_EQ(pooled_both(layers, tokens), shape.width);
    for (const float bad : {NAN, -NAN, std::bit_cast<float>(0x7fc00001u), std::bit_cast<float>(0x7fc001ffu),
                            INFINITY, -INFINITY}) {
      SCOPED_TRACE(bad);
      for (size_t token : {0, 7, 8, 15, 28}) {
        SCOPED_TRACE(token);
        auto x = tokens;
        x[token * shape.width + 3] = bad;
        // the norm spreads it over the token, attention over all tokens
        EXPECT_EQ(pooled_both(layers, x), 0);
      }
    }
    const size_t d = static_cast<size_t>(shape.width);
    for (const auto& [place, numbers] : {std::pair{at.in_weight, 0},
                                         {at.in_weight + d * d, 0},
                                         {at.in_weight + 2 * d * d, 0},
                                         {at.in_bias, 0},
                                         {at.in_bias + d, 0},
                                         {at.out_weight, 0},
                                         {at.norm1_weight, 0},
                                         {at.norm2_bias, 0},
                                         {at.b1, 0},
                                         {at.b1 + 5, 0},
                                         {at.w1 + 7, 0},
                                         {at.w2 + 3, 0}}) {
      SCOPED_TRACE(place);
      auto some = layers;
      some[place] = NAN;
      EXPECT_EQ(pooled_both(some, tokens), numbers);
      // In the last layer only some of the results may depend on it: both agree which.
      some = layers;
      some[at.size + place] = NAN;
      EXPECT_LT(pooled_both(some, tokens), shape.width);
    }
  });
}

TEST(Encoder, OtherSizesUseTheReference) {
  EXPECT_FALSE(has_simd({10, 12, 6, 8, 1}));
  EXPECT_FALSE(has_simd({10, 16, 2, 6, 1}));
  compare_with_reference({10, 12, 3, 7, 2}, 1, 0.3f, 3);
}

TEST(Encoder, TheComparisonSeesAWrongValue) {
  const std::vector<float> good = {1, -2, 3}, wrong = {1, -2.01f, 3}, nan = {1, NAN, 3}, empty;
  EXPECT_EQ(relative_error(good, good), 0);
  EXPECT_GT(relative_error(wrong, good), 2e-3);
  EXPECT_EQ(relative_error(nan, good), INFINITY);
  EXPECT_EQ(relative_error(nan, nan), INFINITY);
  EXPECT_EQ(relative_error(empty, empty), INFINITY);
}

TEST(Dropout, KeepsTheRightShareWithoutCorrelation) {
  const RowDropout dropout = some_dropout(0.3f);
  EXPECT_EQ(dropout.rate.dropped_of_256, 77);
  EXPECT_NEAR(dropout.rate.scale * (1 - 77 / 256.0), 1, 1e-6);
  constexpr int kSize = 512;
  const auto mask = [](const RowDropout& d, uint32_t site) {
    const DropoutKey key = d.key(site);
    std::vector<int> m(kSize * kSize);
    for (int i = 0; i < kSize; ++i) {
      for (int j = 0; j < kSize; ++j) m[i * kSize + j] = dropout_keeps(key, d.rate, i, j);
    }
    return m;
  };
  const double keep = 1 - 77 / 256.0, n = kSize * kSize, sigma = std::sqrt(keep * (1 - keep) / n);
  const std::vector<int> base = mask(dropout, 3);
  double sum = 0;
  for (int k : base) sum += k;
  EXPECT_NEAR(sum / n, keep, 5 * sigma);
  // Correlation with itself shifted, and with other sites, rows, steps and seeds: 5 standard errors of
  // 1/sqrt(n).
  const auto correlation = [&](const std::vector<int>& other, int shift) {
    double total = 0;
    for (size_t i = 0; i + shift < base.size(); ++i) total += (base[i] - keep) * (other[i + shift] - keep);
    return total / n / (keep * (1 - keep));
  };
  for (int shift : {1, 2, 3, 4, 8, 16, kSize, 2 * kSize, 3 * kSize, 4 * kSize, 4 * kSize + 1}) {
    EXPECT_LE(std::abs(correlation(base, shift)), 5 / std::sqrt(n)) << "shift " << shift;
  }
  EXPECT_NEAR(correlation(base, 0), 1, 0.02) << "the measure sees what is equal";
  RowDropout row = dropout, step = dropout, seed = dropout;
  row.row += 1, step.step += 1, seed.seed += 1;
  EXPECT_LE(std::abs(correlation(mask(dropout, 4), 0)), 5 / std::sqrt(n));
  EXPECT_LE(std::abs(correlation(mask(row, 3), 0)), 5 / std::sqrt(n));
  EXPECT_LE(std::abs(correlation(mask(step, 3), 0)), 5 / std::sqrt(n));
  EXPECT_LE(std::abs(correlation(mask(seed, 3), 0)), 5 / std::sqrt(n));
}

}  // namespace
}  // namespace maeil::kernels
