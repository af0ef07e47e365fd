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
  const auto fitted = fitter.fit(1).value();
  const auto& amount = std::get<NumberOutput>(fitted.columns[0].output);
  EXPECT_NEAR(amount.missing, 0.25, 5 * std::sqrt(0.25 * 0.75 / 20000));
  EXPECT_EQ(amount.digits, 3);
  EXPECT_NEAR(quantile_at(fitted.columns[0].marginal, 0), quantile_at(model.columns[0].marginal, 0), 1.0);
  const auto& grade = std::get<CategoryOutput>(fitted.columns[1].output);
  ASSERT_EQ(grade.labels.size(), 3u);
  ASSERT_TRUE(grade.missing);
  // Spreading a category over its interval and putting the mean for missing both weaken a correlation; its sign stays.
  EXPECT_GT(std::abs(fitted.correlation[1]), 0.2);
  EXPECT_TRUE(parse_model_json(to_json(fitted), "f.json"));
}

TEST(Fit, ConstantAndEmptyColumnsAreFitted) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"same", ColumnType::kNumber, {}, {}, {5, 5, 5}}, {"none", ColumnType::kNumber, {}, {}, {NAN, NAN, NAN}},
                  {"text", ColumnType::kText, {0, 0, 0}, {"x"}, {}}};
  CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit(1).value();
  ASSERT_TRUE(sample(fitted, 0, 100, 1, [](const Table& chunk) -> Status {
    for (size_t i = 0; i < chunk.rows; ++i) {
      EXPECT_EQ(chunk.columns[0].numbers[i], 5);
      EXPECT_TRUE(chunk.columns[1].is_missing(i));
      EXPECT_EQ(chunk.columns[2].text(i), "x");
    }
    return {};
  }));
  EXPECT_FALSE(CopulaFitter().fit(1));
}

}  // namespace
}  // namespace maeil::copula
