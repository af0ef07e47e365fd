// Against scikit-learn's and SciPy's figures (golden/data/metrics.json), plus what goldens do not reach:
// a single class, ties everywhere, broken probabilities, and the comparison itself seen to fail.
#include "metrics/classification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "base/philox.h"
#include "base/test_data.h"

namespace maeil::metrics {
namespace {

std::vector<double> read_numbers(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<double> numbers;
  for (double x; in >> x;) numbers.push_back(x);
  return numbers;
}

// The number behind `"name":` in a JSON text (the goldens have each name once).
double golden_number(const std::string& json, const std::string& name) {
  const size_t at = json.find("\"" + name + "\":");
  if (at == std::string::npos) return NAN;
  return std::stod(json.substr(at + name.size() + 3));
}

// Equal to 1e-12 absolute; anything with a NaN is different.
bool agrees(double got, double want) { return std::abs(got - want) <= 1e-12; }

TEST(Comparison, IsSeenToFail) {
  EXPECT_TRUE(agrees(0.5, 0.5));
  EXPECT_FALSE(agrees(0.5, 0.5 + 1e-11));
  EXPECT_FALSE(agrees(-0.5, -0.6));
  EXPECT_FALSE(agrees(NAN, 0.5));
  EXPECT_FALSE(agrees(NAN, NAN));
}

TEST(ClassificationMetricsGolden, MatchesScikitLearnTo1e12) {
  MAEIL_NEEDS(golden_dir());
  const auto probabilities = read_numbers(golden_dir() / "metrics_prob.csv");
  const auto numbers = read_numbers(golden_dir() / "metrics_label.csv");
  const std::vector<uint8_t> labels(numbers.begin(), numbers.end());
  const auto json = read_file(golden_dir() / "metrics.json").value();
  const auto m = classification_metrics(probabilities, labels).value();
  const std::map<std::string, double> got = {
      {"accuracy", m.accuracy}, {"precision", *m.precision}, {"recall", *m.recall},
      {"f1", *m.f1_score},      {"roc_auc", *m.roc_auc},     {"pr_auc", *m.pr_auc},
      {"brier", m.brier},       {"log_loss", m.log_loss},    {"ks", *m.ks}};
  for (const auto& [name, value] : got) {
    EXPECT_TRUE(agrees(value, golden_number(json, name)))
        << name << " " << value << " " << golden_number(json, name);
  }
  const size_t at = json.find("\"confusion\":");
  std::string cells = json.substr(at, json.find('}', at) - at);
  for (char& c : cells) {
    if (!std::isdigit(static_cast<unsigned char>(c))) c = ' ';
  }
  std::istringstream in(cells);
  int64_t tn, fp, fn, tp;
  ASSERT_TRUE(in >> tn >> fp >> fn >> tp);
  EXPECT_EQ(m.confusion.true_negative, tn);
  EXPECT_EQ(m.confusion.false_positive, fp);
  EXPECT_EQ(m.confusion.false_negative, fn);
  EXPECT_EQ(m.confusion.true_positive, tp);
  EXPECT_TRUE(agrees(*m.gini, 2 * golden_number(json, "roc_auc") - 1));
}

TEST(ClassificationMetrics, SingleClassHasNoRankingMetricsAndSaysWhy) {
  const std::vector<double> p = {0.1, 0.9, 0.5};
  const auto m = classification_metrics(p, std::vector<uint8_t>{0, 0, 0}).value();
  EXPECT_FALSE(m.roc_auc || m.pr_auc || m.ks || m.gini);
  EXPECT_NE(m.undefined_reason.find("both classes"), std::string::npos);
  EXPECT_FALSE(m.f1_score || m.recall);
  EXPECT_EQ(m.precision, 0);  // two were decided to be defaults, wrongly
  EXPECT_NE(m.undefined_reason.find("F1 need a positive"), std::string::npos);
  EXPECT_EQ(m.confusion.false_positive, 2);  // 0.5 itself decides for default
  const auto defaults = classification_metrics(p, std::vector<uint8_t>{1, 1, 1}).value();
  EXPECT_FALSE(defaults.roc_auc || defaults.pr_auc || defaults.ks || defaults.gini);
  EXPECT_EQ(defaults.f1_score, 0.8);
}

TEST(ClassificationMetrics, RightDecisionsWithoutADefaultHaveAccuracyOneAndNoF1) {
  const auto m = classification_metrics(std::vector<double>{0.1, 0.2}, std::vector<uint8_t>{0, 0}).value();
  EXPECT_EQ(m.accuracy, 1);
  EXPECT_FALSE(m.f1_score || m.recall || m.precision);
  EXPECT_NE(m.undefined_reason.find("precision needs one"), std::string::npos);
}

TEST(ClassificationMetrics, AModelThatFindsNoDefaultHasF1ZeroAndNoPrecision) {
  const auto m =
      classification_metrics(std::vector<double>{0.1, 0.2, 0.3}, std::vector<uint8_t>{0, 1, 0}).value();
  EXPECT_EQ(m.f1_score, 0);
  EXPECT_EQ(m.recall, 0);
  EXPECT_FALSE(m.precision);
  EXPECT_TRUE(m.roc_auc);
  EXPECT_EQ(m.undefined_reason.find("no row is decided"), 0u);
}

TEST(ClassificationMetrics, AllTiedScoresAreWorthAHalf) {
  const auto m =
      classification_metrics(std::vector<double>(4, 0.3), std::vector<uint8_t>{0, 1, 0, 1}).value();
  EXPECT_EQ(*m.roc_auc, 0.5);
  EXPECT_EQ(*m.ks, 0);
  EXPECT_EQ(*m.pr_auc, 0.5);
}

TEST(ClassificationMetrics, AreaEqualsCountedPairs) {
  RandomSequence random(7, RandomStream::kBootstrap, 0);
  std::vector<double> p(300);
  std::vector<uint8_t> y(300);
  for (size_t i = 0; i < p.size(); ++i) {
    p[i] = random.next_below(20) / 20.0;
    y[i] = random.next_below(4) == 0;
  }
  double pairs = 0, won = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    for (size_t j = 0; j < p.size(); ++j) {
      if (y[i] && !y[j]) {
        ++pairs;
        won += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
      }
    }
  }
  EXPECT_TRUE(agrees(*classification_metrics(p, y).value().roc_auc, won / pairs));
}

TEST(ClassificationMetrics, RefusesWhatIsNoProbability) {
  const std::vector<uint8_t> y = {0, 1};
  EXPECT_FALSE(classification_metrics(std::vector<double>{0.5, NAN}, y));
  EXPECT_FALSE(classification_metrics(std::vector<double>{0.5, 1.5}, y));
  EXPECT_FALSE(classification_metrics({}, {}));
}

TEST(ClassificationMetrics, RefusesLabelsThatDoNotBelongToTheProbabilities) {
  const std::vector<double> p = {0.5, 0.25};
  EXPECT_EQ(classification_metrics(p, std::vector<uint8_t>{0}).error().code, ErrorCode::kInternal);
  EXPECT_EQ(classification_metrics(p, std::vector<uint8_t>{0, 2}).error().code, ErrorCode::kInternal);
  EXPECT_EQ(classification_metrics(p, std::vector<uint8_t>{0, 255}).error().code,
            ErrorCode::kInternal);  // -1, "no label", as 8 bits
}

TEST(ClassificationMetrics, DecidesAtTheThresholdThatItIsGiven) {
  const std::vector<double> p = {0.1, 0.3, 0.3, 0.7};
  const std::vector<uint8_t> y = {0, 0, 1, 1};
  const auto at = [&](double threshold) { return classification_metrics(p, y, threshold)->confusion; };
  EXPECT_EQ(at(0.3).true_positive, 2);  // 0.3 itself decides for default
  EXPECT_EQ(at(0.3).false_positive, 1);
  EXPECT_EQ(at(std::nextafter(0.3, 1)).true_positive, 1);
  EXPECT_EQ(at(std::nextafter(0.3, 1)).false_positive, 0);
  EXPECT_EQ(at(0).total(), 4);
  EXPECT_EQ(at(0).true_negative, 0);
  EXPECT_EQ(classification_metrics(p, y)->confusion.true_positive, at(0.5).true_positive);
  EXPECT_EQ(*classification_metrics(p, y, 0.3)->roc_auc, *classification_metrics(p, y)->roc_auc);
  EXPECT_EQ(classification_metrics(p, y, NAN).error().code, ErrorCode::kInternal);
}

TEST(ProbabilityOfDefault, IsSoftmaxWithoutOverflow) {
  EXPECT_EQ(probability_of_default(0, 0), 0.5);
  EXPECT_EQ(probability_of_default(1000, -1000), 0);
  EXPECT_EQ(probability_of_default(-1000, 1000), 1);
  EXPECT_NEAR(probability_of_default(1, 2), 1 / (1 + std::exp(-1.0)), 1e-15);
}

}  // namespace
}  // namespace maeil::metrics
