// The sampler's promises: rows depend on (mixture, seed, row number) alone, and what is drawn has the law it
// should have, by numbers worked out without the sampler.
#include "copula/sampler.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <set>

#include "base/threads.h"
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

// The rows in pieces, as generating a file draws them.
Table draw_on_all_threads(const MixtureSampler& sampler, uint64_t rows, uint64_t seed) {
  Table out;
  EXPECT_TRUE(run_pieces<Table>(
      0, rows, 1024,
      [&](uint64_t first, uint64_t count, Table& piece) -> Status {
        sampler.draw(first, count, seed, piece);
        return {};
      },
      [&](Table& piece) -> Status {
        if (out.columns.empty()) {
          out = piece;
          return {};
        }
        out.rows += piece.rows;
        for (size_t c = 0; c < piece.columns.size(); ++c) {
          auto& to = out.columns[c];
          const auto& from = piece.columns[c];
          to.codes.insert(to.codes.end(), from.codes.begin(), from.codes.end());
          to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
        }
        return {};
      }));
  return out;
}

// small_model in two classes with other correlations, and a pattern in which price and grade are missing
// together.
Mixture classed_mixture() {
  Mixture out;
  out.target = "class";
  out.missing_sets = {{{0, 1}, {2}}};
  for (const char* label : {"N", "Y"}) {
    CopulaModel copula = small_model();
    std::get<NumberOutput>(copula.columns[1].output).missing = 0;
    copula.columns.push_back({"class", Uniform{0, 1}, CategoryOutput{{label}, {1}, {}}});
    copula.columns.push_back(
        {"missing", Uniform{0, 1}, CategoryOutput{{"00", "10", "01"}, {0.7, 0.9, 1}, {}}});
    const double r = *label == 'N' ? 0.7 : -0.7;
    copula.correlation.assign(25, 0);
    for (size_t i = 0; i < 5; ++i) copula.correlation[i * 6] = 1;
    copula.correlation[1] = copula.correlation[5] = r;
    copula.correlation[4] = copula.correlation[20] = -r / 2;
    out.classes.push_back({label, *label == 'N' ? 0.7 : 0.3, std::move(copula)});
  }
  return out;
}

TEST(MixtureSample, RowsDependOnNothingButSeedAndNumber) {
  Mixture single;
  single.classes.push_back({"", 1, small_model()});
  for (const Mixture& mixture : {single, classed_mixture()}) {
    ASSERT_TRUE(check_mixture(mixture));
    SCOPED_TRACE(mixture.target);
    const auto sampler = MixtureSampler::make(mixture).value();
    const auto whole = draw(sampler, 0, 20000, 5);
    for (const int threads : {1, 2, 3, 7}) {
      set_thread_count(threads);
      EXPECT_TRUE(same_bits(draw_on_all_threads(sampler, 20000, 5), whole)) << threads;
      EXPECT_TRUE(same_bits(draw(MixtureSampler::make(mixture).value(), 0, 20000, 5), whole)) << threads;
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
}

TEST(MixtureSample, FarRowsAndEmptyRanges) {
  const auto sampler = sampler_of(small_model());
  EXPECT_EQ(draw(sampler, uint64_t{1} << 60, 10, 1).rows, 10u);
  const auto none = draw(sampler, 3, 0, 1);
  EXPECT_EQ(none.rows, 0u);
  EXPECT_EQ(none.columns.size(), 3u);
  // A table that was drawn into before is used again, whatever its size was.
  Table again = draw(sampler, 0, 700, 1);
  sampler.draw(100, 50, 1, again);
  EXPECT_TRUE(same_bits(again, draw(sampler, 100, 50, 1)));
}

TEST(MixtureSample, OutputsAreClippedRoundedAndMissingAsTheModelSays) {
  const auto model = small_model();
  const auto table = draw(sampler_of(model), 0, 100000, 9);
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

TEST(MixtureSample, MinusZeroStaysAsNumpyLeavesIt) {
  CopulaModel model;
  NumberOutput output;
  output.digits = 0;
  model.columns = {number_column("change", Uniform{-0.4, 0.3}, output)};
  model.correlation = {1};
  const auto table = draw(sampler_of(model), 0, 100, 1);
  for (const double v : table.columns[0].numbers) EXPECT_TRUE(v == 0 && std::signbit(v));
}

TEST(MixtureSample, RoundsToTensAndWithoutDigits) {
  CopulaModel model;
  NumberOutput tens, raw;
  tens.digits = -1;
  model.columns = {number_column("tens", Gaussian{500, 100}, tens),
                   number_column("raw", Gaussian{500, 100}, raw),
                   number_column("constant", Beta{1, 1, 7, 0}, raw)};
  model.correlation = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const auto table = draw(sampler_of(model), 0, 1000, 1);
  for (const double v : table.columns[0].numbers) EXPECT_EQ(std::fmod(v, 10), 0);
  EXPECT_GT(std::set<double>(table.columns[1].numbers.begin(), table.columns[1].numbers.end()).size(), 990u);
  for (const double v : table.columns[2].numbers) EXPECT_EQ(v, 7);
}

}  // namespace
}  // namespace maeil::copula
