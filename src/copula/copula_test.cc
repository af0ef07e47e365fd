// Sampling from small models whose answers are known, and the properties that everything else rests on.
#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "copula/fit.h"
#include "copula/model.h"
#include "copula/sample.h"

namespace maeil::copula {
namespace {

CopulaModel small_model() {
  CopulaModel model;
  CopulaColumn amount{.name = "amount", .marginal = {Family::kBeta, 2, 5, 10, 100}, .null_rate = 0.25, .digits = 1, .low = 12, .high = 90};
  CopulaColumn grade{.name = "grade", .marginal = {Family::kUniform, 1, 1, 0, 1}, .is_category = true,
                     .categories = {{"A", 0.5}, {std::nullopt, 0.7}, {"담보", 1}}};
  CopulaColumn flag{.name = "flag", .marginal = {Family::kBeta, 1, 1, 0, 1}, .number_format = NumberFormat::kInteger, .is_category = true,
                    .categories = {{"0", 0.9}, {"1", 1}}, .number_labels = true};
  model.columns = {amount, grade, flag};
  model.correlation = {1, 0.6, -0.3, 0.6, 1, 0, -0.3, 0, 1};
  return model;
}

Table draw(const CopulaModel& model, uint64_t first, uint64_t rows, uint64_t seed) {
  Table all;
  EXPECT_TRUE(Sampler(model).sample(first, rows, seed, [&](const Table& chunk) -> Status {
    if (all.columns.empty()) {
      all = chunk;
      return {};
    }
    for (size_t c = 0; c < all.columns.size(); ++c) {
      all.columns[c].codes.insert(all.columns[c].codes.end(), chunk.columns[c].codes.begin(), chunk.columns[c].codes.end());
      all.columns[c].numbers.insert(all.columns[c].numbers.end(), chunk.columns[c].numbers.begin(), chunk.columns[c].numbers.end());
    }
    all.rows += chunk.rows;
    return {};
  }));
  return all;
}

bool same(const Table& a, const Table& b) {
  if (a.rows != b.rows) return false;
  for (size_t c = 0; c < a.columns.size(); ++c) {
    if (a.columns[c].codes != b.columns[c].codes || a.columns[c].numbers.size() != b.columns[c].numbers.size()) return false;
    for (size_t i = 0; i < a.columns[c].numbers.size(); ++i) {
      const double x = a.columns[c].numbers[i], y = b.columns[c].numbers[i];
      if (!(x == y || (x != x && y != y))) return false;
    }
  }
  return true;
}

TEST(Sample, SameSeedSameRowsAtAnyThreadCountAndInAnySlice) {
  const auto model = small_model();
  set_thread_count(1);
  const auto one = draw(model, 0, 5000, 7);
  set_thread_count(3);
  EXPECT_TRUE(same(one, draw(model, 0, 5000, 7)));
  EXPECT_FALSE(same(one, draw(model, 0, 5000, 8)));
  const auto slice = draw(model, 1500, 2000, 7);
  for (size_t i = 0; i < 2000; ++i) {
    EXPECT_EQ(slice.columns[1].codes[i], one.columns[1].codes[1500 + i]);
    EXPECT_EQ(slice.columns[0].is_missing(i), one.columns[0].is_missing(1500 + i));
  }
  set_thread_count(0);
}

TEST(Sample, MarginalsNullsAndDependenceAreTheModels) {
  const auto rows = draw(small_model(), 0, 40000, 3);
  double sum = 0, present = 0, a = 0, missing = 0, ones = 0;
  for (size_t i = 0; i < rows.rows; ++i) {
    if (!rows.columns[0].is_missing(i)) {
      sum += rows.columns[0].numbers[i];
      ++present;
      EXPECT_GE(rows.columns[0].numbers[i], 12);
      EXPECT_LE(rows.columns[0].numbers[i], 90);
    }
    missing += rows.columns[1].is_missing(i);
    a += !rows.columns[1].is_missing(i) && rows.columns[1].text(i) == "A";
    ones += rows.columns[2].numbers[i];
  }
  // Five standard errors; beta(2,5) on [10, 110] has mean 38.57 and deviation 15.97.
  EXPECT_NEAR(present / 40000, 0.75, 5 * std::sqrt(0.75 * 0.25 / 40000));
  EXPECT_NEAR(sum / present, 38.57, 5 * 16 / std::sqrt(30000.0) + 0.05);
  EXPECT_NEAR(a / 40000, 0.5, 5 * 0.0025);
  EXPECT_NEAR(missing / 40000, 0.2, 5 * 0.002);
  EXPECT_NEAR(ones / 40000, 0.1, 5 * 0.0015);
}

TEST(Sample, ACorrelationThatIsNotPositiveDefiniteIsCutToOneThatIs) {
  auto model = small_model();
  model.correlation = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};
  const auto rows = draw(model, 0, 2000, 1);
  for (size_t i = 0; i < rows.rows; ++i) EXPECT_TRUE(rows.columns[0].is_missing(i) || std::isfinite(rows.columns[0].numbers[i]));
}

TEST(InverseTable, FollowsBoostMath) {
  for (const Marginal& m : {Marginal{Family::kBeta, 0.05, 3, 0, 1}, {Family::kBeta, 2, 5, -3, 10}, {Family::kBeta, 60, 0.3, 0, 1e6},
                            {Family::kNormal, 0, 0, 5, 2}, {Family::kUniform, 0, 0, 0, 1}, {Family::kBeta, 1, 1, 7, 0}}) {
    const InverseTable table(m);
    double worst = 0, before = -INFINITY;
    for (double z = -8; z <= 8; z += 0.00317) {
      const double x = table(z);
      EXPECT_GE(x, before);
      before = x;
      worst = std::max(worst, std::abs(x - percent_point_of_normal(m, z)));
    }
    EXPECT_LE(worst, 1e-6 * std::max(m.scale, 1e-300)) << m.a << " " << m.b;
  }
}

TEST(CopulaModel, TravelsAsJson) {
  const auto model = small_model();
  const auto back = from_json(to_json(model), "m.json").value();
  EXPECT_EQ(to_json(back), to_json(model));
  EXPECT_TRUE(same(draw(model, 0, 500, 1), draw(back, 0, 500, 1)));
}

TEST(CopulaModel, HostileJsonIsRefused) {
  const Json good = to_json(small_model());
  const auto broken = [&](const char* pointer, Json value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = std::move(value);
    return !from_json(json, "m.json").has_value();
  };
  EXPECT_TRUE(broken("/version", 2));
  EXPECT_TRUE(broken("/columns/0/marginal/family", "cauchy"));
  EXPECT_TRUE(broken("/columns/0/marginal/a", -1));
  EXPECT_TRUE(broken("/columns/0/marginal/scale", -1));
  EXPECT_TRUE(broken("/columns/0/null_rate", 1.5));
  EXPECT_TRUE(broken("/columns/0/low", 1e9));
  EXPECT_TRUE(broken("/columns/1/categories/0/upper", 0.9));
  EXPECT_TRUE(broken("/columns/1/name", "amount"));
  EXPECT_TRUE(broken("/correlation/0/1", 0.1));
  EXPECT_TRUE(broken("/correlation/0", Json::array({1, 2})));
  EXPECT_TRUE(broken("/columns/0/digits", "two"));
  EXPECT_FALSE(from_json(Json::array(), "m.json"));
}

TEST(Fit, RecoversWhatItWasSampledFrom) {
  auto model = small_model();
  model.columns[0].digits = 3;
  model.columns[0].low.reset();
  model.columns[0].high.reset();
  const auto fitted = [&] {
    CopulaFitter fitter;
    const auto rows = draw(model, 0, 20000, 5);
    fitter.add(rows);
    return fitter.fit(1).value();
  }();
  EXPECT_NEAR(fitted.columns[0].null_rate, 0.25, 0.02);
  EXPECT_EQ(fitted.columns[0].digits, 3);
  EXPECT_NEAR(percent_point(fitted.columns[0].marginal, 0.5), percent_point(model.columns[0].marginal, 0.5), 1.0);
  ASSERT_EQ(fitted.columns[1].categories.size(), 3u);
  // Spreading a category over its interval and replacing missing by the mean both weaken a correlation; its sign and
  // order stay.
  EXPECT_GT(fitted.correlation[1], 0.3);
  EXPECT_LT(fitted.correlation[2], -0.05);
  EXPECT_TRUE(Sampler(fitted).sample(0, 10, 1, [](const Table&) -> Status { return {}; }));
}

}  // namespace
}  // namespace maeil::copula
