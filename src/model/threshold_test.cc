// Thresholds against looking through all of them, at ties, on rows that leave nothing to choose, and in JSON.
#include "model/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "format/json.h"
#include "metrics/classification.h"
#include "model/test_truth.h"

namespace maeil::model {
namespace {

using testing::HasSubstr;

Threshold by_f1(const std::vector<double>& p, const std::vector<uint8_t>& y) {
  return choose_threshold({.rule = ThresholdRule::kF1}, p, y).value();
}

double f1_at(const std::vector<double>& p, const std::vector<uint8_t>& y, double threshold) {
  return *metrics::classification_metrics(p, y, threshold)->f1_score;
}

Result<Threshold> by_cost(double false_negative, double false_positive) {
  return choose_threshold({.rule = ThresholdRule::kCost, .costs = {false_negative, false_positive}},
                          std::vector<double>{0.1, 0.2}, std::vector<uint8_t>{0, 1});
}

TEST(Threshold, ARowExactlyOnItIsAPositive) {
  EXPECT_TRUE(decides_positive({}, 0.5));
  EXPECT_FALSE(decides_positive({}, std::nextafter(0.5, 0)));
  EXPECT_TRUE(decides_positive(Threshold{.value = 0.3}, 0.3));
  EXPECT_FALSE(decides_positive({}, std::nan("")));
  // The same of the metrics, and of two equal logits.
  EXPECT_EQ(metrics::classification_metrics(std::vector<double>{0.5}, std::vector<uint8_t>{1})
                ->confusion.true_positive,
            1);
  EXPECT_TRUE(decides_positive({}, metrics::probability_of_default(-3.25f, -3.25f)));
}

TEST(Threshold, ArgmaxAndFixedNeedNoRows) {
  const auto argmax = choose_threshold({}, {}, {}).value();
  EXPECT_EQ(argmax.value, 0.5);
  EXPECT_EQ(argmax.rule, ThresholdRule::kArgmax);
  EXPECT_EQ(argmax.rows, 0u);
  EXPECT_EQ(choose_threshold({.rule = ThresholdRule::kFixed, .fixed = 0.2}, {}, {})->value, 0.2);
  for (const double wrong : {-0.1, 1.1, std::nan("")})
    EXPECT_EQ(choose_threshold({.rule = ThresholdRule::kFixed, .fixed = wrong}, {}, {}).error().code,
              ErrorCode::kUsage);
}

TEST(Threshold, HasTheGreatestF1OfAllThatDecideDifferently) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    TestBook book = test_book(seed, 150);
    if (book.positives == 0) continue;
    if (seed % 2) {  // ties
      for (double& p : book.truth) p = std::round(20 * p) / 20;
    }
    const auto chosen = by_f1(book.truth, book.labels);
    EXPECT_EQ(chosen.rows, 150u);
    EXPECT_EQ(chosen.positives, book.positives);
    double best = 0, highest = 0;
    for (const double p : std::set<double>(book.truth.begin(), book.truth.end())) {
      const double f1 = f1_at(book.truth, book.labels, p);
      if (f1 >= best) best = f1, highest = p;
    }
    EXPECT_EQ(f1_at(book.truth, book.labels, chosen.value), best);
    // It decides as the highest of the best does, half way to the next lower row.
    double below = 0;
    for (const double p : book.truth) {
      if (p < highest) below = std::max(below, p);
    }
    EXPECT_DOUBLE_EQ(chosen.value, (below + highest) / 2);
  }
}

TEST(Threshold, TakesTheHighestOfEqualF1) {
  // F1 is 2/3 at 0.8 (1 of 1 flagged, 1 of 2 found) and at 0.2 (2 of 4 flagged, both found).
  const std::vector<double> p = {0.8, 0.6, 0.4, 0.2};
  const std::vector<uint8_t> y = {1, 0, 0, 1};
  ASSERT_EQ(f1_at(p, y, 0.8), f1_at(p, y, 0.2));
  EXPECT_DOUBLE_EQ(by_f1(p, y).value, 0.7);
}

TEST(Threshold, DecidesAsItWasChosenAtTheEdges) {
  EXPECT_EQ(by_f1({0.6, 0.4}, {1, 1}).value, 0.2);  // all are positives: half of the lowest
  EXPECT_EQ(by_f1({0.0, 0.0}, {1, 0}).value, 0);    // no number lies below
  EXPECT_EQ(by_f1({1.0, 0.5}, {1, 0}).value, 0.75);
  // No number lies between these two: the upper one it is.
  const double upper = 0.3, lower = std::nextafter(upper, 0);
  EXPECT_EQ(by_f1({upper, lower}, {1, 0}).value, upper);
  EXPECT_EQ(by_f1({0.4}, {1}).value, 0.2);
}

TEST(Threshold, ByCostIsWhereBothDecisionsCostTheSame) {
  EXPECT_DOUBLE_EQ(by_cost(1, 1)->value, 0.5);
  EXPECT_DOUBLE_EQ(by_cost(9, 1)->value, 0.1);
  EXPECT_DOUBLE_EQ(by_cost(1, 3)->value, 0.75);
  EXPECT_DOUBLE_EQ(by_cost(9e300, 1e300)->value, 0.1);
  EXPECT_EQ(by_cost(9, 1)->rows, 2u);
  EXPECT_EQ(by_cost(9, 1)->costs.false_negative, 9);
  for (const double wrong : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    EXPECT_EQ(by_cost(wrong, 1).error().code, ErrorCode::kUsage);
    EXPECT_EQ(by_cost(1, wrong).error().code, ErrorCode::kUsage);
  }
}

TEST(Threshold, ByCostCostsLeastWhereProbabilitiesAreRight) {
  const TestBook book = test_book(1, 50000);
  const auto cost = [&](double threshold) {
    const auto c = metrics::classification_metrics(book.truth, book.labels, threshold)->confusion;
    return 9 * c.false_negative + c.false_positive;
  };
  const auto least = cost(by_cost(9, 1)->value);
  for (const double other : {0.02, 0.05, 0.2, 0.4, 0.5}) EXPECT_LT(least, cost(other)) << other;
}

TEST(Threshold, RefusesRowsWithoutAPositive) {
  const std::vector<double> p = {0.1, 0.2};
  const std::vector<uint8_t> y = {0, 0};
  for (const auto rule : {ThresholdRule::kF1, ThresholdRule::kCost}) {
    const auto refused = choose_threshold({.rule = rule}, p, y);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(refused.error().message, HasSubstr("none of the 2 rows is a positive"));
    EXPECT_FALSE(choose_threshold({.rule = rule}, {}, {}));
    EXPECT_EQ(
        choose_threshold({.rule = rule}, std::vector<double>{0.1, std::nan("")}, std::vector<uint8_t>{0, 1})
            .error()
            .code,
        ErrorCode::kBadInput);
  }
}

TEST(Threshold, GoesThroughJsonUnchanged) {
  for (const Threshold& t :
       {Threshold{}, Threshold{.value = 1 / 3.0, .rule = ThresholdRule::kFixed},
        Threshold{.value = 0.1, .rule = ThresholdRule::kF1, .rows = 1500, .positives = 98},
        Threshold{
            .value = 0.1, .rule = ThresholdRule::kCost, .rows = 1500, .positives = 98, .costs = {9, 1}}}) {
    const auto text = to_json(t).dump();
    const auto read = threshold_from_json(parse_json<Json>(text, "test").value());
    ASSERT_TRUE(read) << text << read.error().message;
    EXPECT_EQ(to_json(*read).dump(), text);
  }
  for (const auto* name : {"argmax", "fixed", "f1", "cost"})
    EXPECT_EQ(to_string(threshold_rule_called(name).value()), name);
  EXPECT_EQ(threshold_rule_called("youden").error().code, ErrorCode::kUsage);
}

TEST(Threshold, RefusesHostileJson) {
  const auto refusal = [](const char* text) {
    const auto read = threshold_from_json(parse_json<Json>(text, "test").value());
    return read ? "accepted" : read.error().message;
  };
  EXPECT_THAT(refusal("7"), HasSubstr("an object is expected"));
  EXPECT_THAT(refusal(R"({"value":null,"rule":"f1","rows":2,"positives":1})"),
              HasSubstr("no number \"value\""));
  EXPECT_THAT(refusal(R"({"value":1.5,"rule":"f1","rows":2,"positives":1})"), HasSubstr("not within [0, 1]"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"argmax","rows":0,"positives":0})"),
              HasSubstr("decides at 0.5"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"best","rows":2,"positives":1})"), HasSubstr("none of argmax"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"f1","rows":2,"positives":3})"),
              HasSubstr("3 positives of 2 rows"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"f1","rows":2,"positives":0})"), HasSubstr("0 positives of 2"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"fixed","rows":2,"positives":1})"), HasSubstr("by fixed"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"f1","rows":-2,"positives":1})"),
              HasSubstr("no count \"rows\""));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"f1","rows":2.5,"positives":1})"),
              HasSubstr("no count \"rows\""));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"f1","rows":2,"positives":1,"more":1})"), HasSubstr("5 keys"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"cost","rows":2,"positives":1})"),
              HasSubstr("cost_false_negative"));
  EXPECT_THAT(refusal(R"({"value":0.4,"rule":"cost","rows":2,"positives":1,
                          "cost_false_negative":0,"cost_false_positive":1})"),
              HasSubstr("no costs"));
  EXPECT_EQ(refusal(R"({"value":0.4,"rule":"f1","rows":2,"positives":1})"), "accepted");
}

}  // namespace
}  // namespace maeil::model
