// What a fitted model must not give away: identifiers, rare labels, outermost values, the rows of small
// classes.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/philox.h"
#include "base/time.h"
#include "copula/correlate.h"
#include "copula/fit.h"
#include "copula/label_order.h"
#include "copula/sampler.h"

namespace maeil::copula {
namespace {

// 2,000 rows: an account number, an amount with one far value at either end, a grade of which two labels are
// rare.
Table accounts() {
  Table rows;
  rows.rows = 2000;
  rows.columns = {{"account", ColumnType::kText, {}, {}, {}},
                  {"amount", ColumnType::kNumber, {}, {}, {}},
                  {"grade", ColumnType::kText, {}, {"A", "B", "X-ray", "Zulu"}, {}}};
  RandomSequence random(3, RandomStream::kBootstrap, 0);
  for (size_t i = 0; i < rows.rows; ++i) {
    rows.columns[0].codes.push_back(static_cast<uint32_t>(i));
    rows.columns[0].dictionary.push_back("KR-" + std::to_string(100000 + 7 * i));
    rows.columns[1].numbers.push_back(i == 5 ? 98765.4321
                                      : i == 6
                                          ? -12345.6789
                                          : std::round(100 * normal_quantile(random.next_uniform())) / 100);
    rows.columns[2].codes.push_back(i < 4 ? 2 : i < 7 ? 3 : i % 3 == 0);
  }
  return rows;
}

GeneratedColumn account_column(const Table& rows) {
  table::DistinctSample values;
  for (const auto& text : rows.columns[0].dictionary) values.add(text, 1);
  return {"account", table::find_identifier("account", false, false, values).value().pattern};
}

TEST(FitPrivacy, IdentifiersAreMadeAnewAndRareLabelsAndEndsAreNotInTheModel) {
  const Table rows = accounts();
  CopulaFitter fitter({account_column(rows)});
  fitter.add(rows);
  const auto fitted = fitter.fit({});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const std::string json = to_json(fitted->mixture);
  for (const char* secret : {"KR-1000", "X-ray", "Zulu", "98765.4321", "12345.6789"})
    EXPECT_EQ(json.find(secret), std::string::npos) << secret;
  ASSERT_EQ(fitted->rare.size(), 1u);
  EXPECT_EQ(fitted->rare[0].values, 2u);
  EXPECT_EQ(fitted->rare[0].rows, 7u);
  const auto read = parse_mixture_json(json, "f.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), json);
  Table out;
  MixtureSampler::make(*read).value().draw(100, 3000, 4, out);
  const std::set<std::string> real(rows.columns[0].dictionary.begin(), rows.columns[0].dictionary.end());
  std::set<std::string> drawn;
  for (size_t i = 0; i < out.rows; ++i) {
    const std::string account(out.columns[0].text(i));
    EXPECT_EQ(account.size(), 9u);
    EXPECT_TRUE(account.starts_with("KR-1"));
    EXPECT_FALSE(real.contains(account)) << account;
    drawn.insert(account);
    EXPECT_TRUE(out.columns[2].text(i) == "A" || out.columns[2].text(i) == "B");
    EXPECT_LT(out.columns[1].numbers[i], 98765);
  }
  EXPECT_EQ(drawn.size(), out.rows);
}

TEST(FitPrivacy, RareDatesAreGroupedAndASmallClassIsMerged) {
  Table rows;
  rows.rows = 600;
  rows.columns = {{"y", ColumnType::kText, {}, {"N", "Y"}, {}},
                  {"opened", ColumnType::kText, {}, {}, {}},
                  {"x", ColumnType::kNumber, {}, {}, {}}};
  for (uint32_t i = 0; i < 600; ++i) {
    rows.columns[0].codes.push_back(i < 12);
    rows.columns[1].codes.push_back(i);
    rows.columns[1].dictionary.push_back(
        format_day_month_year(Days{std::chrono::days{10000 + 10 * static_cast<int>(i)}}));
    rows.columns[2].numbers.push_back(i < 12 ? 7000 + i : i % 100);
  }
  CopulaFitter fitter;
  fitter.add(rows);
  FitPlan plan;
  plan.target = "y";
  plan.dates = {{"opened", std::nullopt}};
  const auto fitted = fitter.fit(plan);
  ASSERT_TRUE(fitted) << fitted.error().message;
  ASSERT_EQ(fitted->merged.size(), 1u);
  EXPECT_EQ(fitted->merged[0].rows, 12u);
  ASSERT_EQ(fitted->mixture.classes.size(), 2u);
  EXPECT_NEAR(fitted->mixture.classes[1].share, 0.02, 1e-12);
  const auto& dates = std::get<CategoryOutput>(fitted->mixture.classes[0].copula.columns[1].output);
  EXPECT_LE(dates.labels.size(), 120u);
  EXPECT_EQ(std::count(dates.labels.begin(), dates.labels.end(), rows.columns[1].dictionary.back()), 0);
  // The class's own values are all above 7000; merged they are rare.
  auto mixture = fitted->mixture;
  ASSERT_TRUE(set_class_share(mixture, "Y", 1));
  Table out;
  MixtureSampler::make(mixture).value().draw(0, 2000, 1, out);
  size_t own = 0;
  for (size_t i = 0; i < out.rows; ++i) own += out.columns[2].numbers[i] > 6000;
  EXPECT_LT(own, 200u);
  CopulaFitter few;
  Table some = accounts();
  some.rows = 19;
  for (auto& column : some.columns)
    column.codes.resize(std::min<size_t>(column.codes.size(), 19)),
        column.numbers.resize(std::min<size_t>(column.numbers.size(), 19));
  few.add(some);
  EXPECT_FALSE(few.fit({}));
}

// Two defaults among 500 loans are no rows of the other class.
TEST(FitPrivacy, AClassOfFewRowsIsRefusedAndNotRelabelled) {
  Table rows;
  rows.rows = 500;
  rows.columns = {{"y", ColumnType::kText, {}, {"N", "Y"}, {}}, {"x", ColumnType::kNumber, {}, {}, {}}};
  for (uint32_t i = 0; i < 500; ++i)
    rows.columns[0].codes.push_back(i < 2), rows.columns[1].numbers.push_back(i % 50);
  CopulaFitter fitter;
  fitter.add(rows);
  FitPlan plan;
  plan.target = "y";
  const auto fitted = fitter.fit(plan);
  ASSERT_FALSE(fitted);
  EXPECT_EQ(fitted.error().code, ErrorCode::kBadInput);
  EXPECT_NE(fitted.error().message.find("the target 'y' has 1 class of fewer than 5 rows ('Y', 2 rows)"),
            std::string::npos)
      << fitted.error().message;
  CopulaFitter without;
  without.add(rows);
  EXPECT_TRUE(without.fit({}));
}

TEST(FitPrivacy, ANegativeZeroLeavesTheOthersPositive) {
  Table rows;
  rows.rows = 100;
  rows.columns = {{"x", ColumnType::kNumber, {}, {}, {}}};
  for (int i = 0; i < 100; ++i) rows.columns[0].numbers.push_back(i == 0 ? -0.0 : i < 50 ? 0.0 : 1.0);
  CopulaFitter fitter;
  fitter.add(rows);
  Table out;
  MixtureSampler::make(fitter.fit({}).value().mixture).value().draw(0, 1000, 1, out);
  for (const double x : out.columns[0].numbers) ASSERT_FALSE(std::signbit(x));
}

// Two latents that hang together in one class and are constant in the other, larger one.
TEST(FitPrivacy, APairThatIsConstantInAClassDoesNotWeakenThePooledCorrelation) {
  const auto correlations_of = [](size_t n, bool constant) {
    std::vector<Latent> latents(2);
    for (size_t i = 0; i < n; ++i) {
      const auto z =
          static_cast<float>(normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(n)));
      latents[0].scores.push_back(z);
      latents[1].scores.push_back(constant ? 0.0f : z);
    }
    return correlate_scores(latents, n);
  };
  const ScoreShape continuous = score_shape({});
  auto small = correlations_of(10, false);
  small.r(0, 1) = small.r(1, 0) = 0;  // by chance
  const auto latent = latent_matrices({correlations_of(1000, false), correlations_of(9000, true), small},
                                      std::vector<std::vector<ScoreShape>>(3, {continuous, continuous}));
  // half its own 0, half the pooled 0.99; 0.05 where the constant class counted
  EXPECT_GT(latent.correlation[2](0, 1), 0.45);
}

// A label column that is there in a tenth of the rows, where `w` is high; among those rows y alone orders the
// labels.
TEST(FitPrivacy, LabelsAreOrderedAmongTheRowsThatHaveOne) {
  Table all;
  all.rows = 10000;
  all.columns = {{"label", ColumnType::kText, {}, {"b", "a", "c"}, {}},
                 {"y", ColumnType::kNumber, {}, {}, {}},
                 {"w", ColumnType::kNumber, {}, {}, {}}};
  RandomSequence random(5, RandomStream::kBootstrap, 0);
  std::vector<uint32_t> sample;
  for (uint32_t i = 0; i < all.rows; ++i) {
    const bool there = i % 10 == 0;
    const uint32_t code = random.next_below(3);
    static constexpr double kMiddle[] = {1, 0, 2};
    all.columns[0].codes.push_back(there ? code : kMissing);
    all.columns[1].numbers.push_back((there ? kMiddle[code] * 0.3 : 0.3) + random.next_uniform());
    // Slightly higher for b: the axis of "there" puts it at an end.
    all.columns[2].numbers.push_back((there ? 100 + (code == 0 ? 0.5 : 0) : 0) + random.next_uniform());
    sample.push_back(i);
  }
  const auto order = order_labels(all.columns[0], false, std::nullopt, sample,
                                  reference_features(all, sample).middleCols(3, 2));
  EXPECT_EQ(order[1], 0u);  // b is between a and c
}

}  // namespace
}  // namespace maeil::copula
