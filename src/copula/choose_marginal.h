// Parametric marginals fitted to a column's values, by maximum likelihood where there is a short way to it,
// and the choice among them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "copula/marginal.h"

namespace maeil::copula {

// What a column's marginal is to be. kEmpirical: the quantiles of the data. kAuto: the family with the
// smallest Kolmogorov-Smirnov distance to the data, if that is small (see kGoodDistance), else empirical.
// kKde: a Gaussian kernel estimate with Scott's bandwidth.
enum class MarginalChoice {
  kEmpirical,
  kAuto,
  kBeta,
  kGamma,
  kGaussian,
  kKde,
  kStudentT,
  kTruncatedGaussian,
  kUniform
};

inline constexpr std::string_view kMarginalChoices =
    "empirical, auto, beta, gamma, gaussian, kde, student_t, truncated_gaussian, uniform";
std::optional<MarginalChoice> parse_marginal_choice(std::string_view name);

// kAuto takes a family when its distance is below the 5 % point of Kolmogorov's statistic, 1.36 / sqrt(n), or
// below this: half a percent of the ranks, which nobody sees.
inline constexpr double kGoodDistance = 0.005;

// The largest difference between the distribution's F and the share of the values at or below a value, on at
// most 2,000 of them.
double distance(const Marginal& marginal, const std::vector<double>& sorted);

// nullopt: empirical was asked for, fits best, or there are fewer than 8 different values or none of the
// family's parameters fit. `sorted`: finite, ascending.
std::optional<Marginal> choose_marginal(const std::vector<double>& sorted, MarginalChoice choice);

// A Gaussian kernel estimate's quantile function as a polygon of 513 knots, which reach three bandwidths
// beyond the points; of more than 2,000 points as many evenly spaced order statistics count. REQUIRES: points
// ascend, are finite and not all the same; bandwidth > 0.
Empirical kernel_estimate(const std::vector<double>& sorted, double bandwidth);

}  // namespace maeil::copula
