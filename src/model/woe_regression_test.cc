// Coefficients, standard errors and correlations against statsmodels 0.15.0 and NumPy
// (testdata/make_scorecard_goldens.py); rows that have no least loss; threads.
#include "model/woe_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "base/threads.h"
#include "model/scorecard_table.h"
#include "model/test_scorecard_golden.h"

namespace maeil::model {
namespace {

TEST(WoeRegressionGolden, IsStatsmodelsLogit) {
  const auto golden = scorecard_golden();
  const auto labels = golden["rows"]["label"].get<std::vector<int32_t>>();
  std::vector<std::vector<uint8_t>> bins;
  BinnedColumns columns{.rows = labels.size()};
  for (const char* name : {"grade", "rate", "leverage"}) {
    const Binning binning = given_binning(golden, name);
    auto& of = bins.emplace_back();
    for (const float value : golden_numbers(golden, name))
      of.push_back(static_cast<uint8_t>(
          binning.of_code.empty() ? bin_of(binning, value) : bin_of(binning, static_cast<int32_t>(value))));
    std::vector<double> values;
    for (const auto& bin : binning.bins) values.push_back(bin.weight_of_evidence);
    columns.columns.push_back({.bins = {}, .values = values});
  }
  for (size_t k = 0; k < 3; ++k) columns.columns[k].bins = bins[k];
  const auto& peer = golden["regression"];
  const auto fit = fit_logistic(columns, labels, 0);
  ASSERT_TRUE(fit);
  for (size_t k = 0; k < 4; ++k) {
    const auto at = static_cast<Eigen::Index>(k);
    EXPECT_NEAR(fit->coefficients(at), peer["coefficients"][k].get<double>(), 1e-9) << k;
    EXPECT_NEAR(fit->standard_errors(at), peer["standard_errors"][k].get<double>(), 1e-9) << k;
    const double p = wald_test(fit->coefficients(at), fit->standard_errors(at)).p_value;
    EXPECT_NEAR(p / peer["p_values"][k].get<double>(), 1, 1e-7) << k;
  }
  EXPECT_NEAR(fit->loss, peer["loss"].get<double>(), 1e-12);
  const Eigen::MatrixXd correlation = correlations(columns);
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(correlation(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)),
                  peer["correlations"][i][j].get<double>(), 1e-12);
}

// Rows of three bins a column, and labels by their sum.
struct RegressionRows {
  std::vector<std::vector<uint8_t>> bins;
  std::vector<int32_t> labels;
  BinnedColumns columns(const std::vector<double>& values) const {
    BinnedColumns out{.rows = labels.size()};
    for (const auto& one : bins) out.columns.push_back({one, values});
    return out;
  }
};
RegressionRows regression_rows(size_t columns, size_t rows) {
  RegressionRows out{std::vector<std::vector<uint8_t>>(columns), {}};
  RandomSequence random(8, RandomStream::kShift, 0);
  for (size_t row = 0; row < rows; ++row) {
    double z = -1;
    for (auto& column : out.bins) {
      column.push_back(static_cast<uint8_t>(random.next_below(3)));
      z -= 0.7 * (column.back() - 1.0);
    }
    out.labels.push_back(random.next_uniform() < 1 / (1 + std::exp(-z)));
  }
  return out;
}

TEST(WoeRegression, IsTheSameToTheBitAtAnyNumberOfThreads) {
  const auto rows = regression_rows(5, 20001);
  const auto columns = rows.columns({-1, 0, 1});
  const int before = thread_count();
  std::optional<LogisticFit> first;
  Eigen::MatrixXd first_correlations;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    const auto fit = fit_logistic(columns, rows.labels, 0);
    ASSERT_TRUE(fit);
    const auto correlation = correlations(columns);
    if (!first) first = fit, first_correlations = correlation;
    EXPECT_TRUE(fit->coefficients == first->coefficients && fit->loss == first->loss) << threads;
    EXPECT_TRUE(fit->standard_errors == first->standard_errors && correlation == first_correlations)
        << threads;
  }
  set_thread_count(before);
  for (Eigen::Index k = 1; k < 6; ++k) EXPECT_NEAR(first->coefficients(k), -0.7, 0.1);
}

// The least penalised loss has a gradient of 0, whatever found it.
TEST(WoeRegression, APenaltyGivesAnAnswerWhereThereIsNoLeastLoss) {
  const std::vector<uint8_t> told_apart = {0, 0, 0, 0, 1, 1, 1, 1};
  const std::vector<int32_t> labels = {1, 1, 1, 1, 0, 0, 0, 0};
  const BinnedColumns columns{{{told_apart, {-1, 1}}}, 8};
  EXPECT_FALSE(fit_logistic(columns, labels, 0));
  const auto fit = fit_logistic(columns, labels, 1);
  ASSERT_TRUE(fit);
  const double w = fit->coefficients(1);  // its gradient: 4 rows of each bin are off by 1 / (1 + e^-w)
  EXPECT_NEAR(8 / (1 + std::exp(-w)) + w, 0, 1e-9);
  EXPECT_NEAR(fit->coefficients(0), 0, 1e-9);
  // Two columns that say the same.
  const auto rows = regression_rows(1, 500);
  BinnedColumns twice = rows.columns({-1, 0, 1});
  twice.columns.push_back(twice.columns[0]);
  EXPECT_FALSE(fit_logistic(twice, rows.labels, 0));
  EXPECT_TRUE(fit_logistic(twice, rows.labels, 1));
  EXPECT_NEAR(correlations(twice)(0, 1), 1, 1e-12);
  twice.columns[1].values = {2, 2, 2};
  EXPECT_EQ(correlations(twice)(0, 1), 0);
}

}  // namespace
}  // namespace maeil::model
