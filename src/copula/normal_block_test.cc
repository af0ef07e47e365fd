// The normals of a block: their words are Philox's, Box-Muller is its formula, and they have the correlation
// that was asked for, by numbers worked out without them.
#include "copula/normal_block.h"

#include <gtest/gtest.h>

#include <cmath>

#include "copula/test_support.h"

namespace maeil::copula {
namespace {

TEST(NormalBlock, WordsAreBasePhiloxs) {
  std::vector<uint32_t> words(kBlockRows);
  const uint64_t seed = 0x123456789abcdef0, block = 0xfedcba9876543210;
  philox_words(seed, RandomStream::kCopulaNulls, block, 41, words.data());
  for (const uint32_t counter : {0u, 1u, 7u, 8u, 127u}) {
    const auto expected = philox4x32({41 * 128 + counter, static_cast<uint32_t>(RandomStream::kCopulaNulls),
                                      static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32)},
                                     static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
    for (size_t w = 0; w < 4; ++w) EXPECT_EQ(words[w * 128 + counter], expected[w]);
  }
}

TEST(NormalBlock, BoxMullerIsTheFormulaInSinglePrecision) {
  // u = (a>>1)/2^31 + 2^-32, angle = quadrant * pi/2 + (the other 30 bits / 2^30 - 1/2) * pi/2.
  const auto check = [](uint32_t a, uint32_t b) {
    const uint32_t words[2] = {a, b};
    float z[2];
    box_muller(words, 1, z);
    const double u = static_cast<double>(a >> 1) * 0x1p-31 + 0x1p-32,
                 radius = std::sqrt(-2 * std::log(std::min(u, 1.0)));
    const double angle =
        (static_cast<double>(b >> 30) + static_cast<double>(b & 0x3fffffff) * 0x1p-30 - 0.5) *
        std::acos(-1.0) / 2;
    // Near u = 1 rounding u to 24 bits moves the radius by up to 2^-24 / radius.
    const double allowed = 4e-7 * (1 + radius) + 0x1p-24 / std::max(radius, 2.5e-4);
    EXPECT_NEAR(z[0], radius * std::cos(angle), allowed) << a << " " << b;
    EXPECT_NEAR(z[1], radius * std::sin(angle), allowed) << a << " " << b;
  };
  for (const uint32_t a : {0u, 1u, 2u, 0x7fffffffu, 0x80000000u, 0xb504f333u, 0xfffffffeu, 0xffffffffu}) {
    for (const uint32_t b : {0u, 0x3fffffffu, 0x40000000u, 0x80000000u, 0xc0000001u, 0xffffffffu})
      check(a, b);
  }
  RandomSequence random(1, RandomStream::kCopula, 0);
  for (int i = 0; i < 20000; ++i) {
    const auto a = random.next_u32();
    check(a, random.next_u32());
  }
}

TEST(NormalBlock, NormalsHaveTheMomentsAndTheCorrelation) {
  auto model = small_model();
  const auto factor = correlation_factor(model);
  double sums[3] = {}, products[9] = {}, fourth = 0;
  constexpr size_t kBlocks = 400;
  std::vector<uint32_t> words(kBlockRows);
  std::vector<float> z(3 * kBlockRows);
  for (size_t block = 0; block < kBlocks; ++block) {
    for (uint32_t c = 0; c < 3; ++c) {
      philox_words(1, RandomStream::kCopula, block, c, words.data());
      box_muller(words.data(), kBlockRows / 2, &z[c * kBlockRows]);
    }
    correlate_rows(factor, 3, z.data(), kBlockRows, kBlockRows);
    for (size_t r = 0; r < kBlockRows; ++r) {
      fourth += std::pow(z[2 * kBlockRows + r], 4);
      for (size_t i = 0; i < 3; ++i) {
        sums[i] += z[i * kBlockRows + r];
        for (size_t j = 0; j < 3; ++j) products[i * 3 + j] += z[i * kBlockRows + r] * z[j * kBlockRows + r];
      }
    }
  }
  const double n = kBlocks * kBlockRows;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(sums[i] / n, 0, 5 / std::sqrt(n));
    for (size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(products[i * 3 + j] / n, model.correlation_at(i, j), 5 * std::sqrt(2 / n));
  }
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96 / n));
}

TEST(NormalBlock, CorrelateEqualsThePlainProductAtEveryWidth) {
  for (size_t C = 1; C <= 9; ++C) {
    std::vector<float> factor(C * C), z(C * kBlockRows), expected(C * kBlockRows);
    RandomSequence random(2, RandomStream::kCopula, C);
    for (auto& v : z) v = static_cast<float>(random.next_uniform());
    for (size_t i = 0; i < C; ++i) {
      for (size_t j = 0; j <= i; ++j) factor[i * C + j] = static_cast<float>(random.next_uniform());
    }
    for (size_t i = 0; i < C; ++i) {
      for (size_t r = 0; r < kBlockRows; ++r) {
        for (size_t j = 0; j <= i; ++j)
          expected[i * kBlockRows + r] += factor[i * C + j] * z[j * kBlockRows + r];
      }
    }
    for (const size_t rows : {size_t{24}, kBlockRows}) {
      auto product = z;
      correlate_rows(factor, C, product.data(), kBlockRows, rows);
      for (size_t k = 0; k < z.size(); ++k) {
        const bool within = k % kBlockRows < rows;
        ASSERT_NEAR(product[k], within ? expected[k] : z[k], within ? 1e-6 * static_cast<double>(C) : 0) << C;
      }
    }
  }
}

TEST(NormalBlock, AMatrixThatIsNotPositiveDefiniteBecomesItsAbsoluteValue) {
  CopulaModel model = small_model();
  model.correlation = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};  // eigenvalues 1.9, 1.9, -0.8
  const auto factor = correlation_factor(model);
  // |A| = A + 2 * 0.8 v v^T with v = (1, -1, 1)/sqrt(3) of the eigenvalue -0.8.
  const double v[3] = {1, -1, 1};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      double product = 0;
      for (size_t k = 0; k < 3; ++k) product += static_cast<double>(factor[i * 3 + k]) * factor[j * 3 + k];
      EXPECT_NEAR(product, model.correlation_at(i, j) + 1.6 / 3 * v[i] * v[j], 1e-5);
    }
  }
}

}  // namespace
}  // namespace maeil::copula
