// The sampler's promises: rows depend on (model, seed, row number) alone, tables keep their stated error, and
// what is drawn has the law it should have, by numbers worked out without the sampler.
#include "copula/sample.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <numeric>
#include <set>

#include "base/test_data.h"
#include "base/threads.h"
#include "copula/category_table.h"
#include "copula/normal_block.h"
#include "copula/quantile_table.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

// Bit for bit, NaN included; -0.0 differs from 0.0.
bool same_bits(const Table& x, const Table& y) {
  if (x.rows != y.rows || x.columns.size() != y.columns.size()) return false;
  for (size_t c = 0; c < x.columns.size(); ++c) {
    const auto &a = x.columns[c], &b = y.columns[c];
    if (a.codes != b.codes || a.dictionary != b.dictionary || a.numbers.size() != b.numbers.size())
      return false;
    for (size_t r = 0; r < a.numbers.size(); ++r) {
      if (std::bit_cast<uint64_t>(a.numbers[r]) != std::bit_cast<uint64_t>(b.numbers[r])) return false;
    }
  }
  return true;
}

Table slice(const Table& table, size_t first, size_t rows) {
  Table out = table;
  out.rows = rows;
  for (auto& column : out.columns) {
    if (!column.codes.empty())
      column.codes = {column.codes.begin() + first, column.codes.begin() + first + rows};
    if (!column.numbers.empty())
      column.numbers = {column.numbers.begin() + first, column.numbers.begin() + first + rows};
  }
  return out;
}

TEST(Sample, RowsDependOnNothingButSeedAndNumber) {
  const Sampler sampler(small_model());
  const auto whole = draw(sampler, 0, 20000, 5);
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    EXPECT_TRUE(same_bits(draw(sampler, 0, 20000, 5), whole)) << threads;
  }
  set_thread_count(0);
  for (const auto& [first, rows] :
       {std::pair<size_t, size_t>{0, 1}, {511, 2}, {512, 512}, {8191, 3}, {700, 9000}, {19999, 1}}) {
    EXPECT_TRUE(same_bits(draw(sampler, first, rows, 5), slice(whole, first, rows))) << first;
  }
  EXPECT_FALSE(same_bits(draw(sampler, 0, 20000, 6), whole));
  auto changed = whole;
  changed.columns[1].numbers[77] += 1e-9;
  EXPECT_FALSE(same_bits(changed, whole));
}

TEST(Sample, FarRowsAndEmptyRanges) {
  const Sampler sampler(small_model());
  EXPECT_EQ(draw(sampler, uint64_t{1} << 60, 10, 1).rows, 10u);
  EXPECT_TRUE(sampler.sample(3, 0, 1,
                             [](const Table&) -> Status { return internal_error("no chunk was expected"); }));
  EXPECT_FALSE(sampler.sample(2, UINT64_MAX, 1, [](const Table&) -> Status { return {}; }));
  int chunks = 0;
  const auto stopped = sampler.sample(0, 100000, 1, [&](const Table& chunk) -> Status {
    EXPECT_LE(chunk.rows, 1024u);
    return ++chunks == 2 ? Status(io_error("full")) : Status();
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "full");
  EXPECT_EQ(chunks, 2);
}

TEST(Sample, OutputsAreClippedRoundedAndMissingAsTheModelSays) {
  const auto model = small_model();
  const auto table = draw(Sampler(model), 0, 100000, 9);
  const auto &grade = table.columns[0], &price = table.columns[1], &count = table.columns[2];
  EXPECT_THAT(grade.dictionary, testing::ElementsAre("A", "B", "\xED\x95\x9C"));
  double share[4] = {}, absent = 0;
  for (size_t r = 0; r < table.rows; ++r) {
    ++share[grade.codes[r] == kMissing ? 3 : grade.codes[r]];
    if (price.is_missing(r)) {
      ++absent;
    } else {
      EXPECT_GE(price.numbers[r], -1);
      EXPECT_LE(price.numbers[r], 40);
      EXPECT_EQ(price.numbers[r], std::nearbyint(price.numbers[r] * 100) / 100);
    }
    EXPECT_GE(count.numbers[r], 0);
    EXPECT_EQ(count.numbers[r], std::nearbyint(count.numbers[r]));
    EXPECT_FALSE(std::signbit(count.numbers[r]));  // a whole number has no -0
  }
  const double n = static_cast<double>(table.rows);
  const auto& upper = std::get<CategoryOutput>(model.columns[0].output).upper;
  const auto below = [&](size_t k) { return normal_cdf(normal_score(model.columns[0].marginal, upper[k])); };
  const double expected[4] = {below(0), below(2) - below(1), 1 - below(2), below(1) - below(0)};
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(share[k] / n, expected[k], 5 * std::sqrt(0.25 / n)) << k;
  EXPECT_NEAR(absent / n, 0.25, 5 * std::sqrt(0.25 * 0.75 / n));
}

TEST(Sample, MinusZeroStaysAsNumpyLeavesIt) {
  CopulaModel model;
  NumberOutput output;
  output.digits = 0;
  model.columns = {number_column("change", Uniform{-0.4, 0.3}, output)};
  model.correlation = {1};
  const auto table = draw(Sampler(model), 0, 100, 1);
  for (const double v : table.columns[0].numbers) EXPECT_TRUE(v == 0 && std::signbit(v));
}

TEST(Sample, RoundsToTensAndWithoutDigits) {
  CopulaModel model;
  NumberOutput tens, raw;
  tens.digits = -1;
  model.columns = {number_column("tens", Gaussian{500, 100}, tens),
                   number_column("raw", Gaussian{500, 100}, raw),
                   number_column("constant", Beta{1, 1, 7, 0}, raw)};
  model.correlation = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const auto table = draw(Sampler(model), 0, 1000, 1);
  for (const double v : table.columns[0].numbers) EXPECT_EQ(std::fmod(v, 10), 0);
  EXPECT_GT(std::set<double>(table.columns[1].numbers.begin(), table.columns[1].numbers.end()).size(), 990u);
  for (const double v : table.columns[2].numbers) EXPECT_EQ(v, 7);
}

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
    correlate(factor, 3, z.data());
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
    correlate(factor, C, z.data());
    for (size_t k = 0; k < z.size(); ++k) ASSERT_NEAR(z[k], expected[k], 1e-6 * static_cast<double>(C)) << C;
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

// The table against Boost at points that are no nodes: its u may be off by kTableError, or x by kTableShare
// of the range.
void expect_within_stated_error(const Marginal& marginal, double min, double max) {
  const QuantileTable table(marginal, min, max);
  const auto exact = [&](double z) { return std::min(std::max(quantile_at(marginal, z), min), max); };
  const double share = kTableShare * (exact(kTableReach) - exact(-kTableReach));
  double before = -INFINITY;
  for (float z = -5.5f; z < 5.5f; z += 0.0371f) {
    const double x = table(z);
    EXPECT_GE(x, before) << z;
    before = x;
    // Twice the bound: it was checked at midpoints, and a cubic's error elsewhere may be a little larger.
    // in z; and the rounding of z itself
    const double shift = 2 * kTableError / (0.398942 * std::exp(-0.5 * z * z)) + 1e-9;
    EXPECT_GE(x, exact(z - shift) - 2 * share) << z;
    EXPECT_LE(x, exact(z + shift) + 2 * share) << z;
  }
}

TEST(QuantileTable, KeepsItsErrorForEveryFamily) {
  for (const Marginal& marginal :
       {Marginal(Beta{2, 5, -3, 10}), Marginal(Beta{0.0085, 0.0094, 0, 1.1}), Marginal(Gaussian{3, 2}),
        Marginal(Uniform{-1, 4}), Marginal(TruncatedGaussian{-0.5, 3, 1, 2}), Marginal(Gamma{0.4, 0, 3}),
        Marginal(StudentT{3, 0, 1})}) {
    SCOPED_TRACE(family_name(marginal));
    expect_within_stated_error(marginal, -INFINITY, INFINITY);
    expect_within_stated_error(marginal, quantile_at(marginal, -1), quantile_at(marginal, 2));
  }
}

TEST(QuantileTableGolden, KeepsItsErrorOnEverySeedColumn) {
  const auto model = fixture_model();
  for (const auto& column : model.columns) {
    const auto* number = std::get_if<NumberOutput>(&column.output);
    if (!number) continue;
    SCOPED_TRACE(column.name);
    expect_within_stated_error(column.marginal, *number->min, *number->max);
  }
}

TEST(CategoryTable, FindsTheIntervalThatASearchFinds) {
  CategoryOutput output;
  RandomSequence random(3, RandomStream::kCopula, 0);
  double total = 0;
  for (int k = 0; k < 3000; ++k) output.upper.push_back(total += std::pow(random.next_uniform(), 6) + 1e-7);
  for (auto& u : output.upper) u /= total;
  output.labels.resize(output.upper.size());
  const Marginal marginal = Beta{1.002, 0.998, 1e-6, 0.999998};
  const CategoryTable table(marginal, output);
  std::vector<float> ends;
  for (size_t k = 0; k + 1 < output.upper.size(); ++k)
    ends.push_back(static_cast<float>(normal_score(marginal, output.upper[k])));
  const auto expected = [&](float z) {
    return static_cast<uint32_t>(std::ranges::lower_bound(ends, z) - ends.begin());
  };
  for (float z = -7; z < 7; z += 0.00037f) ASSERT_EQ(table(z), expected(z)) << z;
  for (const float end : ends) {
    ASSERT_EQ(table(end), expected(end)) << end;
    ASSERT_EQ(table(std::nextafter(end, 10.0f)), expected(std::nextafter(end, 10.0f))) << end;
  }
}

TEST(CategoryTable, OneCategoryTakesAll) {
  const CategoryTable table(Beta{1, 1, 0, 1}, CategoryOutput{{"x"}, {1}, {}});
  for (const float z : {-9.0f, 0.0f, 9.0f}) EXPECT_EQ(table(z), 0u);
}

}  // namespace
}  // namespace maeil::copula
