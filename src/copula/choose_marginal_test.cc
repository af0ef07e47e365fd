#include "copula/choose_marginal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

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

// What is chosen, if anything is, has parameters that are in order and quantiles that are finite, ascend and
// lie near the data.
TEST(ChooseMarginal, ExtremeNumbersHaveALawThatDrawsNumbersOrNone) {
  constexpr double kMax = std::numeric_limits<double>::max(),
                   kLeast = std::numeric_limits<double>::denorm_min();
  constexpr size_t kRows = 500;
  const auto of = [](const std::function<double(double)>& f) {
    std::vector<double> out;
    for (size_t i = 0; i < kRows; ++i) out.push_back(f((static_cast<double>(i) + 0.5) / kRows));
    std::sort(out.begin(), out.end());
    return out;
  };
  const std::vector<std::pair<const char*, std::vector<double>>> columns = {
      {"near the largest", of([&](double u) { return kMax * (0.5 + u / 2); })},
      {"both signs of the largest", of([&](double u) { return kMax * (2 * u - 1); })},
      {"1e308", of([](double u) { return 1e308 + 1e307 * u; })},
      {"denormals", of([&](double u) { return kLeast * std::round(1000 * u); })},
      {"denormals of both signs", of([](double u) { return 1e-310 * (u - 0.5); })},
      {"squares that vanish", of([](double u) { return 1e-160 * (1 + u); })},
      {"600 powers of ten", of([](double u) { return std::pow(10, 600 * u - 300); })},
      {"300 powers of ten", of([](double u) { return std::pow(10, 300 * u - 150); })},
      {"both signs of 300 powers",
       of([](double u) { return (u < 0.5 ? -1 : 1) * std::pow(10, 300 * std::abs(u - 0.5)); })},
      {"neighbours", of([](double u) { return 1 + std::round(20 * u) * 0x1p-52; })},
      {"one far out", of([](double u) { return u > 0.998 ? 1e300 : u; })},
      {"one very far out", of([](double u) { return u > 0.998 ? 1e150 : u; })},
      {"one value", std::vector<double>(kRows, 1e308)},
      {"zeros", std::vector<double>(kRows, 0.0)}};
  int laws = 0;
  for (const auto& [name, sorted] : columns) {
    for (const char* choice :
         {"auto", "uniform", "gaussian", "truncated_gaussian", "beta", "gamma", "student_t", "kde"}) {
      SCOPED_TRACE(std::string(name) + ", " + choice);
      const auto fitted = choose_marginal(sorted, *parse_marginal_choice(choice));
      if (!fitted) continue;
      ++laws;
      EXPECT_EQ(check_marginal(*fitted), "");
      if (choice == std::string("auto")) {
        EXPECT_LT(distance(*fitted, sorted), 1.36 / std::sqrt(kRows));
      }
      double last = -std::numeric_limits<double>::infinity();
      for (double z = -6; z <= 6; z += 0.25) {
        const double x = quantile_at(*fitted, z);
        ASSERT_TRUE(std::isfinite(x)) << z;
        ASSERT_GE(x, last) << z;
        last = x;
      }
    }
  }
  EXPECT_GT(laws, 10);  // or nothing of this was looked at
}

TEST(ChooseMarginal, TheDistanceSeesAShift) {
  const auto values = values_of(Gaussian{0, 1}, 4000);
  EXPECT_LT(distance(Gaussian{0, 1}, values), 0.001);
  // the largest gap is half way
  EXPECT_NEAR(distance(Gaussian{0.5, 1}, values), 2 * (normal_cdf(0.25) - 0.5), 0.002);
}

}  // namespace
}  // namespace maeil::copula
