#include "copula/fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "base/threads.h"
#include "copula/sampler.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

CopulaModel fitted_model() {
  CopulaModel model;
  model.columns = {{"amount", Beta{2, 5, 10, 100}, NumberOutput{.missing = 0.25, .digits = 3}},
                   {"grade", Uniform{0, 1}, CategoryOutput{{"A", "", "담보"}, {0.5, 0.7, 1}, 1}},
                   {"kind", Uniform{0, 1}, CategoryOutput{{"u", "v"}, {0.3, 1}, {}}}};
  model.correlation = {1, 0.6, 0.6, 0.6, 1, 0.36, 0.6, 0.36, 1};
  return model;
}

TEST(Fit, RecoversWhatItWasSampledFrom) {
  const auto model = fitted_model();
  CopulaFitter fitter;
  fitter.add(draw(sampler_of(model), 0, 20000, 5));
  const auto mixture = fitter.fit({}).value().mixture;
  const auto& fitted = mixture.classes.front().copula;
  ASSERT_EQ(mixture.columns(), 3u);
  ASSERT_EQ(mixture.missing_sets.size(), 2u);  // amount and grade are missing in other rows
  EXPECT_NEAR(std::get<CategoryOutput>(fitted.columns[3].output).upper[0], 0.75,
              5 * std::sqrt(0.25 * 0.75 / 20000));
  EXPECT_EQ(std::get<NumberOutput>(fitted.columns[0].output).digits, 3);
  EXPECT_NEAR(quantile_at(fitted.columns[0].marginal, 0), quantile_at(model.columns[0].marginal, 0), 1.0);
  const auto& grade = std::get<CategoryOutput>(fitted.columns[1].output);
  ASSERT_EQ(grade.labels.size(), 2u);
  // One step of z: the polyserial correlation is the model's 0.6, up or down with the order of the labels.
  EXPECT_NEAR(std::abs(fitted.correlation_at(0, 2)), 0.6, 0.03);
  const auto read = parse_mixture_json(to_json(mixture), "f.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(mixture));
}

// 4,000 rows: y follows x, a and b are missing together and only in class Y, low <= high.
Table classed_rows() {
  Table rows;
  rows.rows = 4000;
  rows.columns = {{"class", ColumnType::kText, {}, {"N", "Y"}, {}},
                  {"a", ColumnType::kNumber, {}, {}, {}},
                  {"b", ColumnType::kText, {}, {"p", "q", "r"}, {}},
                  {"low", ColumnType::kNumber, {}, {}, {}},
                  {"high", ColumnType::kNumber, {}, {}, {}}};
  RandomSequence random(1, RandomStream::kBootstrap, 0);
  for (size_t i = 0; i < rows.rows; ++i) {
    const bool yes = random.next_uniform() < 0.25, missing = yes && random.next_uniform() < 0.5;
    const double z = normal_quantile(random.next_uniform());
    rows.columns[0].codes.push_back(yes);
    rows.columns[1].numbers.push_back(missing ? NAN : std::round(100 * (z + (yes ? 3 : 0))) / 100);
    rows.columns[2].codes.push_back(missing ? kMissing : z < -0.5 ? 1 : z < 0.5 ? 0 : 2);
    rows.columns[3].numbers.push_back(std::round(10 * z));
    rows.columns[4].numbers.push_back(std::round(10 * (z + random.next_uniform())));
  }
  return rows;
}

TEST(Fit, MissingValuesAndClassesKeepTheirReasonAndConstraintsHold) {
  CopulaFitter fitter;
  fitter.add(classed_rows());
  const FitPlan plan{.target = "class",
                     .formats = {},
                     .dates = {},
                     .constraints = {{table::Constraint::Kind::kOrder, {"low", "high"}, ""}},
                     .marginals = {},
                     .seed = 1};
  auto mixture = fitter.fit(plan).value().mixture;
  ASSERT_EQ(mixture.classes.size(), 2u);
  ASSERT_EQ(mixture.missing_sets, (std::vector<MissingSets>{{{1, 2}}}));
  ASSERT_TRUE(set_class_share(mixture, "Y", 0.5));
  EXPECT_FALSE(set_class_share(mixture, "Z", 0.5));
  const auto sampler = MixtureSampler::make(mixture).value();
  Table out, piece;
  sampler.draw(0, 20000, 7, out);
  size_t yes = 0, missing = 0;
  for (size_t i = 0; i < out.rows; ++i) {
    const bool is_yes = out.columns[0].text(i) == "Y";
    yes += is_yes;
    missing += out.columns[1].is_missing(i);
    ASSERT_EQ(out.columns[1].is_missing(i), out.columns[2].is_missing(i)) << i;
    ASSERT_FALSE(out.columns[1].is_missing(i) && !is_yes) << i;
    ASSERT_LE(out.columns[3].numbers[i], out.columns[4].numbers[i]) << i;
    ASSERT_EQ(out.columns[3].numbers[i], std::round(out.columns[3].numbers[i]));
  }
  EXPECT_NEAR(static_cast<double>(yes), 10000, 5 * std::sqrt(5000));
  EXPECT_NEAR(static_cast<double>(missing) / static_cast<double>(yes), 0.5, 0.06);
  // A row does not depend on the range it is drawn in.
  sampler.draw(777, 3000, 7, piece);
  for (size_t i = 0; i < piece.rows; ++i)
    ASSERT_EQ(piece.columns[4].numbers[i], out.columns[4].numbers[777 + i]) << i;
}

TEST(Fit, ConstraintsHoldAfterRoundingWhateverTheMarginals) {
  Table rows = classed_rows();
  rows.columns.push_back({"total", ColumnType::kNumber, {}, {}, {}});
  rows.columns.push_back({"fee", ColumnType::kNumber, {}, {}, {}});
  for (size_t i = 0; i < rows.rows; ++i) {
    rows.columns[5].numbers.push_back(rows.columns[3].numbers[i] + rows.columns[4].numbers[i]);
    rows.columns[6].numbers.push_back(rows.columns[0].codes[i] == 1
                                          ? std::round(100 * (1 + rows.columns[3].numbers[i] * 0.01)) / 100
                                          : NAN);
  }
  const std::vector<table::Constraint> constraints = {
      {table::Constraint::Kind::kOrder, {"low", "high"}, ""},
      {table::Constraint::Kind::kSum, {"total", "low", "high"}, ""},
      {table::Constraint::Kind::kOnlyWhen, {"fee", "class"}, "Y"}};
  for (const auto choice :
       {MarginalChoice::kEmpirical, MarginalChoice::kAuto, MarginalChoice::kKde, MarginalChoice::kStudentT}) {
    CopulaFitter fitter;
    fitter.add(rows);
    const auto fitted = fitter.fit({.target = "class",
                                    .formats = {},
                                    .dates = {},
                                    .constraints = constraints,
                                    .marginals = std::vector<MarginalChoice>(rows.columns.size(), choice),
                                    .seed = 1});
    ASSERT_TRUE(fitted) << fitted.error().message;
    const auto read = parse_mixture_json(to_json(fitted->mixture), "f.json");
    ASSERT_TRUE(read) << read.error().message;
    Table out;
    MixtureSampler::make(*read).value().draw(0, 20000, 3, out);
    for (const auto& constraint : constraints)
      EXPECT_EQ(table::count_broken(constraint, out).value(), 0u) << to_string(constraint.kind);
    size_t fees = 0;
    for (size_t i = 0; i < out.rows; ++i) {
      ASSERT_EQ(out.columns[3].numbers[i], std::round(out.columns[3].numbers[i]));
      fees += !out.columns[6].is_missing(i);
    }
    EXPECT_NEAR(static_cast<double>(fees), 5000, 5 * std::sqrt(20000 * 0.25 * 0.75) + 100);
  }
}

// 3,000 bills: a whole total of parts with decimals (two cents make a whole one together), shares of 100, a
// part that is missing in some rows, and three steps that never go down.
Table bills() {
  Table rows;
  rows.rows = 3000;
  for (const char* name :
       {"total", "net", "tax", "p", "q", "hundred", "gross", "part", "rest", "s1", "s2", "s3"})
    rows.columns.push_back({name, ColumnType::kNumber, {}, {}, {}});
  RandomSequence random(2, RandomStream::kBootstrap, 0);
  for (size_t i = 0; i < rows.rows; ++i) {
    const auto uniform = [&] { return random.next_uniform(); };
    const double whole = 10 + std::floor(40 * uniform()), tax = std::round(whole * uniform() * 20) / 100,
                 p = std::round(1000 * uniform()) / 10;
    const double part = std::round(1000 * uniform()) / 100, rest = std::round(2000 * uniform()) / 100,
                 s1 = std::round(10 * uniform()), s2 = std::round(10 * (s1 + uniform())) / 10;
    const double values[] = {whole,
                             std::round(100 * (whole - tax)) / 100,
                             tax,
                             p,
                             std::round(10 * (100 - p)) / 10,
                             100,
                             std::round(100 * (part + rest)) / 100,
                             uniform() < 0.3 ? NAN : part,
                             rest,
                             s1,
                             s2,
                             std::ceil(s2) + std::floor(2 * uniform())};
    for (size_t c = 0; c < rows.columns.size(); ++c) rows.columns[c].numbers.push_back(values[c]);
  }
  return rows;
}

TEST(Fit, DrawnSumsHoldInTheirColumnsDigitsAndNothingGoesMissingForThem) {
  using Kind = table::Constraint::Kind;
  const Table rows = bills();
  const std::vector<table::Constraint> constraints = {
      {Kind::kOrder, {"s2", "s3"}, ""},          {Kind::kOrder, {"s1", "s2"}, ""},
      {Kind::kSum, {"total", "net", "tax"}, ""}, {Kind::kSum, {"hundred", "p", "q"}, ""},
      {Kind::kSum, {"p", "q"}, "", 100},         {Kind::kSum, {"gross", "part", "rest"}, ""}};
  for (const auto& constraint : constraints)
    ASSERT_EQ(table::count_broken(constraint, rows).value(), 0u) << describe(constraint);
  CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit(
      {.target = "", .formats = {}, .dates = {}, .constraints = constraints, .marginals = {}, .seed = 1});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const auto read = parse_mixture_json(to_json(fitted->mixture), "f.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->constraints[4].total, 100);
  Table out;
  MixtureSampler::make(*read).value().draw(0, 20000, 3, out);
  for (const auto& constraint : constraints)
    EXPECT_EQ(table::count_broken(constraint, out).value(), 0u) << describe(constraint);
  const auto ranges = value_ranges(*read);
  for (size_t c = 0; c < out.columns.size(); ++c) {
    const table::Rounding rounding(ranges[c].digits);
    size_t missing = 0, missing_before = 0;
    // Within the smoothed ends; a total, which its parts make, at least within those of the data.
    double low = *ranges[c].min, high = *ranges[c].max;
    // NaN is neither
    for (const double x : rows.columns[c].numbers) low = std::min(low, x), high = std::max(high, x);
    for (size_t i = 0; i < out.rows; ++i) {
      const double x = out.columns[c].numbers[i];
      missing += x != x;
      ASSERT_FALSE(x == x && (rounding(x) != x || x < low || x > high)) << out.columns[c].name << " " << x;
    }
    for (const double x : rows.columns[c].numbers) missing_before += x != x;
    EXPECT_NEAR(static_cast<double>(missing) / 20000, static_cast<double>(missing_before) / 3000, 0.02)
        << out.columns[c].name;
  }
}

TEST(Fit, AConstraintOnAValueThatNoRowHasIsRefused) {
  CopulaFitter fitter;
  fitter.add(classed_rows());
  const auto fitted =
      fitter.fit({.target = "class",
                  .formats = {},
                  .dates = {},
                  .constraints = {{table::Constraint::Kind::kOnlyWhen, {"a", "class"}, "NOPE"}},
                  .marginals = {},
                  .seed = 1});
  ASSERT_FALSE(fitted);
  EXPECT_NE(fitted.error().message.find("N, Y"), std::string::npos) << fitted.error().message;
}

TEST(Fit, TheBytesDoNotDependOnTheThreads) {
  std::string texts[2];
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    CopulaFitter fitter;
    fitter.add(classed_rows());
    texts[threads == 3] = to_json(fitter
                                      .fit({.target = "class",
                                            .formats = {},
                                            .dates = {},
                                            .constraints = {},
                                            .marginals = {},
                                            .seed = 1})
                                      .value()
                                      .mixture);
  }
  set_thread_count(0);
  EXPECT_EQ(texts[0], texts[1]);
}

TEST(Fit, RecoversMarginalsAndCorrelationAndSurvivesJson) {
  // Nothing missing and nothing but numbers: what the fit then estimates is the model itself.
  CopulaModel model;
  model.columns = {{"x", Beta{2, 5, 10, 100}, NumberOutput{}},
                   {"y", Beta{0.8, 1.7, -1, 2}, NumberOutput{}},
                   {"z", Beta{30, 20, 0, 1}, NumberOutput{}}};
  model.correlation = {1, 0.6, -0.3, 0.6, 1, 0.2, -0.3, 0.2, 1};
  const auto refit = [](const CopulaModel& from, uint64_t seed) {
    CopulaFitter fitter;
    fitter.add(draw(sampler_of(from), 0, 50000, seed));
    return fitter.fit({}).value().mixture.classes.front().copula;
  };
  const auto expect_like = [&](const CopulaModel& fitted, double correlation_error, double score_error) {
    for (size_t k = 0; k < 9; ++k)
      EXPECT_NEAR(fitted.correlation[k], model.correlation[k], correlation_error) << k;
    for (size_t c = 0; c < 3; ++c) {
      for (const double z : {-1.5, -0.5, 0.0, 0.5, 1.5}) {
        EXPECT_NEAR(normal_score(fitted.columns[c].marginal, quantile_at(model.columns[c].marginal, z)), z,
                    score_error)
            << c << " " << z;
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
  rows.rows = 20;
  rows.columns = {{"same", ColumnType::kNumber, {}, {}, std::vector<double>(20, 5)},
                  {"none", ColumnType::kNumber, {}, {}, std::vector<double>(20, NAN)},
                  {"text", ColumnType::kText, std::vector<uint32_t>(20, 0), {"x"}, {}}};
  CopulaFitter fitter;
  fitter.add(rows);
  const auto sampler = MixtureSampler::make(fitter.fit({}).value().mixture).value();
  Table drawn;
  sampler.draw(0, 100, 1, drawn);
  for (size_t i = 0; i < drawn.rows; ++i) {
    EXPECT_EQ(drawn.columns[0].numbers[i], 5);
    EXPECT_TRUE(drawn.columns[1].is_missing(i));
    EXPECT_EQ(drawn.columns[2].text(i), "x");
  }
  EXPECT_FALSE(CopulaFitter().fit({}));
}

}  // namespace
}  // namespace maeil::copula
