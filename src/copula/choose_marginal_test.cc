#include "copula/choose_marginal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace maeil::copula {
namespace {

// The law's own order statistics: what a perfect sample of n rows looks like.
std::vector<double> values_of(const Marginal& law, size_t n) {
  std::vector<double> out;
  for (size_t i = 0; i < n; ++i)
    out.push_back(quantile_at(law, normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(n))));
  return out;
}

struct Case {
  const char* name;
  Marginal law;
};
const Case kCases[] = {
    {"beta", Beta{2, 5, 10, 100}},      {"beta", Beta{0.7, 0.6, -3, 2}},
    {"gamma", Gamma{2.5, 0, 3}},        {"gaussian", Gaussian{-4, 0.01}},
    {"student_t", StudentT{3, 100, 5}}, {"truncated_gaussian", TruncatedGaussian{-0.3, 1.2, 7, 10}},
    {"uniform", Uniform{-2, 9}}};

TEST(ChooseMarginal, EachFamilyRecoversItsOwnLaw) {
  for (const auto& [name, law] : kCases) {
    const auto values = values_of(law, 5000);
    const auto fitted = choose_marginal(values, *parse_marginal_choice(name));
    ASSERT_TRUE(fitted) << name;
    EXPECT_EQ(fitted->index(), law.index()) << name;
    EXPECT_LT(distance(*fitted, values), 0.01) << name;
    for (const double z : {-1.5, 0.0, 1.5}) {
      const double spread = quantile_at(law, 1) - quantile_at(law, -1);
      EXPECT_NEAR(quantile_at(*fitted, z), quantile_at(law, z), 0.02 * spread) << name << " " << z;
    }
  }
}

TEST(ChooseMarginal, AutoTakesAFamilyThatFitsAndNoneThatDoesNot) {
  for (const auto& [name, law] : kCases) {
    const auto values = values_of(law, 5000);
    const auto fitted = choose_marginal(values, MarginalChoice::kAuto);
    ASSERT_TRUE(fitted) << name;
    EXPECT_LT(distance(*fitted, values), 0.02) << name << " became " << family_name(*fitted);
  }
  auto two_hills = values_of(Gaussian{0, 1}, 3000);
  for (const double x : values_of(Gaussian{12, 1}, 2000)) two_hills.push_back(x);
  EXPECT_FALSE(choose_marginal(two_hills, MarginalChoice::kAuto));
  const auto kernel = choose_marginal(two_hills, MarginalChoice::kKde);
  ASSERT_TRUE(kernel);
  EXPECT_LT(distance(*kernel, two_hills), 0.15);  // Scott's bandwidth is wide for two hills
  EXPECT_LT(quantile_at(*kernel, -4), two_hills.front());
}

TEST(ChooseMarginal, FewDifferentValuesAndWrongNamesHaveNone) {
  EXPECT_FALSE(choose_marginal({}, MarginalChoice::kBeta));
  EXPECT_FALSE(choose_marginal({1, 1, 1, 2, 2, 3}, MarginalChoice::kGamma));
  EXPECT_FALSE(choose_marginal(values_of(Gaussian{0, 1}, 100), MarginalChoice::kEmpirical));
  EXPECT_FALSE(parse_marginal_choice("norm"));
  EXPECT_EQ(parse_marginal_choice("kde"), MarginalChoice::kKde);
}

TEST(ChooseMarginal, TheDistanceSeesAShift) {
  const auto values = values_of(Gaussian{0, 1}, 4000);
  EXPECT_LT(distance(Gaussian{0, 1}, values), 0.001);
  // the largest gap is half way
  EXPECT_NEAR(distance(Gaussian{0.5, 1}, values), 2 * (normal_cdf(0.25) - 0.5), 0.002);
}

}  // namespace
}  // namespace maeil::copula
