#include "copula/fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "copula/sample.h"

namespace maeil::copula {
namespace {

CopulaModel small_model() {
  CopulaModel model;
  model.columns = {{"amount", Beta{2, 5, 10, 100}, NumberOutput{.missing = 0.25, .digits = 3}},
                   {"grade", Uniform{0, 1}, CategoryOutput{{"A", "", "담보"}, {0.5, 0.7, 1}, 1}}};
  model.correlation = {1, 0.6, 0.6, 1};
  return model;
}

TEST(Fit, RecoversWhatItWasSampledFrom) {
  const auto model = small_model();
  CopulaFitter fitter;
  ASSERT_TRUE(sample(model, 0, 20000, 5, [&](const Table& chunk) -> Status {
    fitter.add(chunk);
    return {};
  }));
  const auto fitted = fitter.fit({}).value().mixture.classes.front().copula;
  const auto& amount = std::get<NumberOutput>(fitted.columns[0].output);
  EXPECT_NEAR(amount.missing, 0.25, 5 * std::sqrt(0.25 * 0.75 / 20000));
  EXPECT_EQ(amount.digits, 3);
  EXPECT_NEAR(quantile_at(fitted.columns[0].marginal, 0), quantile_at(model.columns[0].marginal, 0), 1.0);
  const auto& grade = std::get<CategoryOutput>(fitted.columns[1].output);
  ASSERT_EQ(grade.labels.size(), 3u);
  ASSERT_TRUE(grade.missing);
  // Spreading a category over its interval, ordering categories by appearance and putting the mean for missing all weaken
  // a correlation; what is left is far above its sampling error of 1/sqrt(20000) = 0.007.
  EXPECT_GT(std::abs(fitted.correlation[1]), 0.1);
  EXPECT_TRUE(parse_model_json(to_json(fitted), "f.json"));
}

TEST(Fit, RecoversMarginalsAndCorrelationAndSurvivesJson) {
  // Nothing missing and nothing but numbers: what the fit then estimates is the model itself.
  CopulaModel model;
  model.columns = {{"x", Beta{2, 5, 10, 100}, NumberOutput{}}, {"y", Beta{0.8, 1.7, -1, 2}, NumberOutput{}}, {"z", Beta{30, 20, 0, 1}, NumberOutput{}}};
  model.correlation = {1, 0.6, -0.3, 0.6, 1, 0.2, -0.3, 0.2, 1};
  const auto refit = [](const CopulaModel& from, uint64_t seed) {
    CopulaFitter fitter;
    EXPECT_TRUE(sample(from, 0, 50000, seed, [&](const Table& chunk) -> Status {
      fitter.add(chunk);
      return {};
    }));
    return fitter.fit({}).value().mixture.classes.front().copula;
  };
  const auto expect_like = [&](const CopulaModel& fitted, double correlation_error, double score_error) {
    for (size_t k = 0; k < 9; ++k) EXPECT_NEAR(fitted.correlation[k], model.correlation[k], correlation_error) << k;
    for (size_t c = 0; c < 3; ++c) {
      for (const double z : {-1.5, -0.5, 0.0, 0.5, 1.5}) {
        EXPECT_NEAR(normal_score(fitted.columns[c].marginal, quantile_at(model.columns[c].marginal, z)), z, score_error) << c << " " << z;
      }
    }
  };
  const auto fitted = refit(model, 3);
  // Sampling error is 1/sqrt(n) = 0.0045; fitting within the observed ends bends a marginal by more.
  expect_like(fitted, 0.03, 0.1);
  const auto read = parse_model_json(to_json(fitted), "fitted.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(fitted));
  expect_like(refit(*read, 4), 0.05, 0.2);
}

TEST(Fit, ConstantAndEmptyColumnsAreFitted) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"same", ColumnType::kNumber, {}, {}, {5, 5, 5}}, {"none", ColumnType::kNumber, {}, {}, {NAN, NAN, NAN}},
                  {"text", ColumnType::kText, {0, 0, 0}, {"x"}, {}}};
  CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit({}).value().mixture.classes.front().copula;
  ASSERT_TRUE(sample(fitted, 0, 100, 1, [](const Table& chunk) -> Status {
    for (size_t i = 0; i < chunk.rows; ++i) {
      EXPECT_EQ(chunk.columns[0].numbers[i], 5);
      EXPECT_TRUE(chunk.columns[1].is_missing(i));
      EXPECT_EQ(chunk.columns[2].text(i), "x");
    }
    return {};
  }));
  EXPECT_FALSE(CopulaFitter().fit({}));
}

}  // namespace
}  // namespace maeil::copula
