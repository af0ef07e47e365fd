// The distributions that a column's transformed values may have, as the Python package `copulas` parametrises
// them (scipy.stats' shapes with loc and scale), and their functions through Boost.Math.
//
// Everything is expressed by the normal score z = Phi^-1(F(x)) instead of u = F(x): no precision is lost near
// u = 1. A scale of 0 is a constant: quantile = loc. Off the hot path: sampling reads quantile tables
// instead.
#pragma once

#include <limits>
#include <string_view>
#include <variant>
#include <vector>

namespace maeil::copula {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Beta {
  double a = 1, b = 1, loc = 0, scale = 1;
};
struct Gaussian {
  double loc = 0, scale = 1;
};
struct Uniform {
  double loc = 0, scale = 1;
};
struct TruncatedGaussian {
  double a = -1, b = 1, loc = 0, scale = 1;
};  // a, b in units of scale around loc
struct Gamma {
  double a = 1, loc = 0, scale = 1;
};
struct StudentT {
  double df = 1, loc = 0, scale = 1;
};

// The empirical quantile function as a polygon over the normal score: x(z) through (z[k], x[k]), constant
// beyond the ends. Both lists ascend; two equal x are an atom (a value that many rows share), two equal z a
// gap between atoms. loc and scale stay 0 and 1.
struct Empirical {
  std::vector<double> z, x;  // (K), K >= 1
  double loc = 0, scale = 1;
};

using Marginal = std::variant<Beta, Gaussian, Uniform, TruncatedGaussian, Gamma, StudentT, Empirical>;

std::string_view family_name(const Marginal& marginal);  // "beta", "gaussian", ...

// "" when the parameters are finite and within their bounds, else what is wrong.
std::string_view check_marginal(const Marginal& marginal);

double normal_cdf(double z);
double normal_quantile(double u);  // -inf at 0, inf at 1

// x with F(x) = Phi(z). Monotone in z.
double quantile_at(const Marginal& marginal, double z);

// z with Phi(z) = F(x); -inf and inf outside the support.
double normal_score(const Marginal& marginal, double x);

// f(x); 0 outside the support, may be inf at its ends.
double density(const Marginal& marginal, double x);

}  // namespace maeil::copula
