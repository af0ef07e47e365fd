#include "metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.h"

namespace maeil::metrics {
namespace {

TEST(BootstrapInterval, CoversF1NarrowsWithRowsAndRepeats) {
  const ConfusionMatrix small{880, 20, 30, 70}, large{88000, 2000, 3000, 7000},
      huge{880000, 20000, 30000, 70000};
  const auto a = *bootstrap_f1_interval(small, 1), b = *bootstrap_f1_interval(large, 1),
             c = *bootstrap_f1_interval(huge, 1);
  for (const auto& [interval, matrix] : {std::pair{a, small}, {b, large}, {c, huge}}) {
    EXPECT_LT(interval.low, *f1_score(matrix));
    EXPECT_GT(interval.high, *f1_score(matrix));
  }
  // The width falls with the root of the rows; the normal chain of `huge` continues the exact draws of
  // `large`.
  EXPECT_NEAR((a.high - a.low) / (b.high - b.low), 10, 1.5);
  EXPECT_NEAR((b.high - b.low) / (c.high - c.low), std::sqrt(10.0), 0.5);
  EXPECT_EQ(bootstrap_f1_interval(small, 1)->low, a.low);
  EXPECT_NE(bootstrap_f1_interval(small, 2)->low, a.low);
}

TEST(BootstrapInterval, LeavesDrawsWithoutAPositiveOutOrIsAbsent) {
  EXPECT_FALSE(bootstrap_f1_interval({100, 0, 0, 0}, 1));
  EXPECT_FALSE(bootstrap_f1_interval({}, 1));
  EXPECT_FALSE(bootstrap_f1_interval({99, 0, 0, 1}, 1));  // 37 % of the draws have no positive
  // Every decision is right, so every draw that has an F1 has 1; one without a positive is no 0.
  const auto five = bootstrap_f1_interval({95, 0, 0, 5}, 1);
  ASSERT_TRUE(five);
  EXPECT_EQ(five->low, 1);
  EXPECT_EQ(five->high, 1);
}

PairedDecisions times(PairedDecisions decisions, int64_t factor) {
  for (auto& count : decisions.counts) count *= factor;
  return decisions;
}

// 1,000 rows, 100 positives: the first finds 80 of them, the second 70, most of which are the same.
const PairedDecisions kPaired{{860, 15, 5, 20, 15, 5, 15, 65}};

// The same by rows and another generator, as textbooks write it.
Interval by_rows(const PairedDecisions& decisions, int resamples) {
  struct Row {
    bool label, first, second;
  };
  std::vector<Row> rows;
  for (size_t cell = 0; cell < 8; ++cell)
    rows.insert(rows.end(), static_cast<size_t>(decisions.counts[cell]),
                Row{cell >= 4, cell % 4 >= 2, cell % 2 == 1});
  std::vector<double> values;
  RandomSequence random(7, RandomStream::kFitSample, 0);
  for (int r = 0; r < resamples; ++r) {
    double hits[2] = {}, decided[2] = {}, positives = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const Row& row = rows[random.next_below(static_cast<uint32_t>(rows.size()))];
      positives += row.label;
      hits[0] += row.label && row.first, hits[1] += row.label && row.second;
      decided[0] += row.first, decided[1] += row.second;
    }
    values.push_back(2 * hits[0] / (positives + decided[0]) - 2 * hits[1] / (positives + decided[1]));
  }
  std::ranges::sort(values);
  return {values[values.size() / 40], values[values.size() - values.size() / 40]};
}

TEST(PairedBootstrap, IsThatOfRowsDrawnOneByOne) {
  const auto expected = by_rows(kPaired, 4000);
  const auto found = bootstrap_f1_difference(kPaired, 1, 4000);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->low, expected.low, 0.006);
  EXPECT_NEAR(found->high, expected.high, 0.006);
  const double difference = *f1_difference(kPaired);
  EXPECT_NEAR(difference, 160.0 / (100 + 105) - 140.0 / (100 + 105), 1e-15);
  EXPECT_LT(found->low, difference);
  EXPECT_GT(found->high, difference);
}

TEST(PairedBootstrap, CountsOfEachClassifierAreItsOwn) {
  const auto first = kPaired.first(), second = kPaired.second();
  EXPECT_EQ(first.true_positive, 80);
  EXPECT_EQ(first.false_positive, 25);
  EXPECT_EQ(second.true_positive, 70);
  EXPECT_EQ(second.false_positive, 35);
  EXPECT_EQ(first.total(), 1000);
  EXPECT_EQ(second.total(), kPaired.rows());
  EXPECT_EQ(kPaired.positives(), 100);
  PairedDecisions one;
  one.add(true, true, false);
  EXPECT_EQ(one.first().true_positive, 1);
  EXPECT_EQ(one.second().false_negative, 1);
}

TEST(PairedBootstrap, IsNarrowerThanTwoIntervals) {
  const auto paired = *bootstrap_f1_difference(kPaired, 1);
  const auto a = *bootstrap_f1_interval(kPaired.first(), 1), b = *bootstrap_f1_interval(kPaired.second(), 2);
  EXPECT_LT(paired.high - paired.low, 0.8 * std::hypot(a.high - a.low, b.high - b.low));
  // Two that decide alike differ in nothing, whatever is drawn.
  const auto same = *bootstrap_f1_difference({{900, 0, 0, 30, 20, 0, 0, 50}}, 1);
  EXPECT_EQ(same.low, 0);
  EXPECT_EQ(same.high, 0);
}

// Above 100,000 rows counts are drawn, those of rare cells exactly.
TEST(PairedBootstrap, OfManyRowsGoesOnFromThatOfFewer) {
  const auto exact = *bootstrap_f1_difference(times(kPaired, 100), 1),
             chain = *bootstrap_f1_difference(times(kPaired, 1000), 1);
  EXPECT_NEAR((exact.high - exact.low) / (chain.high - chain.low), std::sqrt(10.0), 0.5);
  // Rare disagreement: 3 of 200,000 rows, which a normal count would draw below zero or round.
  const PairedDecisions rare{{189'997, 0, 0, 0, 0, 0, 3, 10'000}};
  const auto difference = *bootstrap_f1_difference(rare, 1);
  EXPECT_EQ(difference.low, 0);  // none of the three is drawn in 5 % of the draws
  EXPECT_GT(difference.high, *f1_difference(rare));
  EXPECT_LT(difference.high, 4 * *f1_difference(rare));
}

// Rows that say the same thing ten times are no ten times the evidence.
TEST(PairedBootstrap, DrawsUnitsWhole) {
  std::vector<PairedDecisions> rows, units;
  for (size_t cell = 0; cell < 8; ++cell) {
    for (int64_t i = 0; i < kPaired.counts[cell]; ++i) {
      PairedDecisions one;
      one.counts[cell] = 1;
      rows.push_back(one);
      one.counts[cell] = 10;
      units.push_back(one);
    }
  }
  const auto by_rows_once = *bootstrap_f1_difference(kPaired, 1),
             by_units_of_one = *bootstrap_f1_difference(rows, 1),
             by_units = *bootstrap_f1_difference(units, 1),
             blind = *bootstrap_f1_difference(times(kPaired, 10), 1);
  EXPECT_EQ(by_units_of_one.low, by_rows_once.low);
  EXPECT_EQ(by_units_of_one.high, by_rows_once.high);
  EXPECT_NEAR(by_units.low, by_rows_once.low, 0.01);
  EXPECT_NEAR(by_units.high, by_rows_once.high, 0.01);
  EXPECT_NEAR((by_units.high - by_units.low) / (blind.high - blind.low), std::sqrt(10.0), 0.4);
}

TEST(PairedBootstrap, IsAbsentWithoutPositives) {
  EXPECT_FALSE(bootstrap_f1_difference({{90, 5, 5, 0, 0, 0, 0, 0}}, 1));
  EXPECT_FALSE(bootstrap_f1_difference(PairedDecisions(), 1));
  EXPECT_FALSE(bootstrap_f1_difference(std::vector<PairedDecisions>(), 1));
  EXPECT_FALSE(bootstrap_f1_difference({{99, 0, 0, 0, 0, 0, 0, 1}}, 1));
}

}  // namespace
}  // namespace maeil::metrics
