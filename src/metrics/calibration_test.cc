// The reliability table against scikit-learn 1.9.1 and SciPy 1.17.1 (testdata/make_calibration_goldens.py),
// and what it does at ties and on few rows.
#include "metrics/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/file.h"
#include "base/philox.h"

namespace maeil::metrics {
namespace {

// The numbers of the list behind `"name":` below `"of":`, or of one number; the layer of metrics has no JSON.
std::vector<double> golden_list(const std::string& of, const std::string& name) {
  const auto json =
      read_file(std::string(MAEIL_SOURCE_DIR) + "/src/metrics/testdata/calibration.json").value();
  const size_t from = json.find("\"" + name + "\": ", json.find("\"" + of + "\": ")) + name.size() + 4;
  std::string text = json.substr(from, json.find_first_of("]}", from) - from);
  for (char& c : text) {
    if (c == '[' || c == ',') c = ' ';
  }
  std::istringstream in(text);
  std::vector<double> out;
  for (double x; in >> x;) out.push_back(x);
  return out;
}

bool equal_to_1e12(double got, double want) { return std::abs(got - want) <= 1e-12; }

TEST(ReliabilityGolden, ComparisonCanFail) {
  EXPECT_TRUE(equal_to_1e12(0.5, 0.5));
  EXPECT_FALSE(equal_to_1e12(0.5, 0.5 + 1e-11));
  EXPECT_FALSE(equal_to_1e12(-0.5, -0.6));
  EXPECT_FALSE(equal_to_1e12(std::nan(""), 0.5));
  EXPECT_EQ(golden_list("digits", "p").size(), 388u);
  EXPECT_EQ(golden_list("digits", "ece").size(), 1u);
}

TEST(ReliabilityGolden, EqualsScikitLearnsQuantileCurve) {
  for (const auto* book : {"smooth", "digits", "ties"}) {
    const auto p = golden_list(book, "p"), numbers = golden_list(book, "y");
    const auto rows = golden_list(book, "rows"), mean = golden_list(book, "mean"),
               rate = golden_list(book, "rate");
    const auto table = reliability_table(p, std::vector<uint8_t>(numbers.begin(), numbers.end())).value();
    ASSERT_EQ(table.size(), rows.size()) << book;
    for (size_t i = 0; i < table.size(); ++i) {
      EXPECT_EQ(table[i].rows, rows[i]) << book << " " << i;
      EXPECT_TRUE(equal_to_1e12(table[i].mean_probability, mean[i])) << book << " " << i;
      EXPECT_TRUE(equal_to_1e12(table[i].observed_rate, rate[i])) << book << " " << i;
    }
    EXPECT_TRUE(equal_to_1e12(expected_calibration_error(table), golden_list(book, "ece")[0])) << book;
  }
}

TEST(ReliabilityGolden, WilsonIsScipys) {
  // [positives, rows, low, high] each
  const auto json =
      read_file(std::string(MAEIL_SOURCE_DIR) + "/src/metrics/testdata/calibration.json").value();
  std::string text = json.substr(json.find("\"wilson\": ") + 10);
  for (char& c : text) {
    if (c == '[' || c == ']' || c == ',' || c == '}') c = ' ';
  }
  std::istringstream in(text);
  int cases = 0;
  for (double positives, rows, low, high; in >> positives >> rows >> low >> high; ++cases) {
    const auto ours = wilson_interval(static_cast<int64_t>(positives), static_cast<int64_t>(rows));
    EXPECT_TRUE(equal_to_1e12(ours.low, low)) << positives << " " << rows;
    EXPECT_TRUE(equal_to_1e12(ours.high, high)) << positives << " " << rows;
  }
  EXPECT_EQ(cases, 7);
}

TEST(Reliability, NeverDividesRowsOfEqualProbability) {
  const auto all_equal = reliability_table(std::vector<double>(30, 0.2), std::vector<uint8_t>(30)).value();
  ASSERT_EQ(all_equal.size(), 1u);
  EXPECT_EQ(all_equal[0].rows, 30);
  EXPECT_NEAR(expected_calibration_error(all_equal), 0.2, 1e-15);
  // An edge that is a row's own probability: its equals go below it with it.
  const std::vector<double> p = {0.1, 0.2, 0.2, 0.2, 0.3};
  const auto halves = reliability_table(p, std::vector<uint8_t>{0, 0, 1, 0, 1}, 2).value();
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[0].rows, 4);
  EXPECT_EQ(halves[0].positives, 1);
  EXPECT_EQ(halves[1].rows, 1);
}

TEST(Reliability, HasNoMoreBinsThanRows) {
  const std::vector<double> p = {0.9, 0.1, 1};
  const auto table = reliability_table(p, std::vector<uint8_t>{1, 0, 1}).value();
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[2].mean_probability, 1);
  EXPECT_NEAR(expected_calibration_error(table), 0.2 / 3, 1e-15);
  EXPECT_EQ(reliability_table(std::vector<double>{0.4}, std::vector<uint8_t>{1})->size(), 1u);
}

TEST(Reliability, IsSmallForTheTruthAndLargeForAShift) {
  RandomSequence random(1, RandomStream::kBootstrap, 0);
  std::vector<double> truth(20000), shifted(20000);
  std::vector<uint8_t> y(20000);
  for (size_t i = 0; i < y.size(); ++i) {
    truth[i] = std::pow(random.next_uniform(), 4);
    shifted[i] = 14 * truth[i] / (14 * truth[i] + 1 - truth[i]);
    y[i] = random.next_uniform() < truth[i];
  }
  const auto table = reliability_table(truth, y).value();
  EXPECT_LT(expected_calibration_error(table), 0.01);
  int64_t rows = 0, covered = 0;
  for (const auto& bin : table) {
    rows += bin.rows;
    covered += bin.interval.low <= bin.mean_probability && bin.mean_probability <= bin.interval.high;
  }
  EXPECT_EQ(rows, 20000);
  EXPECT_GE(covered, 8);  // of 10
  EXPECT_GT(expected_calibration_error(reliability_table(shifted, y).value()), 0.2);
}

TEST(Reliability, RefusesRowsThatAreNone) {
  const std::vector<double> p = {0.1, 0.2};
  EXPECT_EQ(reliability_table({}, {}).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(reliability_table(std::vector<double>{0.1, NAN}, std::vector<uint8_t>{0, 1}).error().code,
            ErrorCode::kBadInput);
  EXPECT_EQ(reliability_table(p, std::vector<uint8_t>{0}).error().code, ErrorCode::kInternal);
  EXPECT_EQ(reliability_table(p, std::vector<uint8_t>{0, 2}).error().code, ErrorCode::kInternal);
  EXPECT_EQ(reliability_table(p, std::vector<uint8_t>{0, 1}, 0).error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace maeil::metrics
