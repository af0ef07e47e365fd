// Boost.Math's distributions behind one std::visit. Errors of evaluation give NaN or infinity instead of
// exceptions; callers pass checked parameters, so they see neither in the interior of the support.
#include "copula/marginal.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace maeil::copula {
namespace {

namespace bm = boost::math;
// Double precision throughout: long double costs 3x and the answers differ in the 15th digit.
using Quiet = bm::policies::policy<bm::policies::domain_error<bm::policies::ignore_error>,
                                   bm::policies::pole_error<bm::policies::ignore_error>,
                                   bm::policies::overflow_error<bm::policies::ignore_error>,
                                   bm::policies::evaluation_error<bm::policies::ignore_error>,
                                   bm::policies::promote_double<false>>;

using BoostNormal = bm::normal_distribution<double, Quiet>;

// Both tails of a standard (loc 0, scale 1) distribution, so that the smaller one is exact.
struct Tails {
  double lower, upper;
};

template <class Distribution>
Tails tails_of(const Distribution& d, double x) {
  return {bm::cdf(d, x), bm::cdf(bm::complement(d, x))};
}

double score(Tails t) { return t.lower < 0.5 ? normal_quantile(t.lower) : -normal_quantile(t.upper); }

template <class Distribution>
double quantile_of(const Distribution& d, double z) {
  return z < 0 ? bm::quantile(d, normal_cdf(z)) : bm::quantile(bm::complement(d, normal_cdf(-z)));
}

auto standard(const Beta& m) { return bm::beta_distribution<double, Quiet>(m.a, m.b); }
auto standard(const Gamma& m) { return bm::gamma_distribution<double, Quiet>(m.a); }
auto standard(const StudentT& m) { return bm::students_t_distribution<double, Quiet>(m.df); }

struct StandardQuantile {
  double z;
  double operator()(const Gaussian&) const { return z; }
  double operator()(const Uniform&) const { return normal_cdf(z); }
  double operator()(const TruncatedGaussian& m) const {
    // u of the truncated law on the normal's own scale, from whichever end is nearer.
    const double low = normal_cdf(m.a), high = normal_cdf(-m.b), inside = 1 - low - high;
    const double x = z < 0 ? normal_quantile(low + normal_cdf(z) * inside)
                           : -normal_quantile(high + normal_cdf(-z) * inside);
    return std::fmin(std::fmax(x, m.a), m.b);
  }
  double operator()(const Empirical& m) const {
    const auto k = static_cast<size_t>(std::lower_bound(m.z.begin(), m.z.end(), z) - m.z.begin());
    if (k == 0) return m.x.front();
    if (k == m.z.size()) return m.x.back();
    const double width = m.z[k] - m.z[k - 1];
    return width > 0 ? m.x[k - 1] + (z - m.z[k - 1]) / width * (m.x[k] - m.x[k - 1]) : m.x[k];
  }
  template <class Family>
  double operator()(const Family& m) const {
    return quantile_of(standard(m), z);
  }
};

struct StandardScore {
  double x;
  double operator()(const Gaussian&) const { return x; }
  double operator()(const Uniform&) const {
    return x <= 0 ? -kInfinity : x >= 1 ? kInfinity : score({x, 1 - x});
  }
  double operator()(const TruncatedGaussian& m) const {
    if (x <= m.a) return -kInfinity;
    if (x >= m.b) return kInfinity;
    const double low = normal_cdf(m.a), high = normal_cdf(-m.b), inside = 1 - low - high;
    return score({(normal_cdf(x) - low) / inside, (normal_cdf(-x) - high) / inside});
  }
  double operator()(const Beta& m) const {
    return x <= 0 ? -kInfinity : x >= 1 ? kInfinity : score(tails_of(standard(m), x));
  }
  // An atom's score is the upper end of its interval, as F is continuous from the right.
  double operator()(const Empirical& m) const {
    if (x < m.x.front()) return -kInfinity;
    const auto k = static_cast<size_t>(std::upper_bound(m.x.begin(), m.x.end(), x) - m.x.begin());
    if (k == m.x.size()) return kInfinity;
    return m.z[k - 1] + (x - m.x[k - 1]) / (m.x[k] - m.x[k - 1]) * (m.z[k] - m.z[k - 1]);
  }
  double operator()(const Gamma& m) const { return x <= 0 ? -kInfinity : score(tails_of(standard(m), x)); }
  double operator()(const StudentT& m) const { return score(tails_of(standard(m), x)); }
};

struct StandardDensity {
  double x;
  double operator()(const Gaussian&) const { return bm::pdf(BoostNormal(), x); }
  double operator()(const Uniform&) const { return x >= 0 && x <= 1 ? 1 : 0; }
  double operator()(const TruncatedGaussian& m) const {
    return x < m.a || x > m.b ? 0 : bm::pdf(BoostNormal(), x) / (1 - normal_cdf(m.a) - normal_cdf(-m.b));
  }
  double operator()(const Beta& m) const { return x < 0 || x > 1 ? 0 : bm::pdf(standard(m), x); }
  double operator()(const Empirical& m) const {
    const auto k = static_cast<size_t>(std::upper_bound(m.x.begin(), m.x.end(), x) - m.x.begin());
    if (k == 0 || k == m.x.size()) return 0;
    const double z = StandardScore{x}(m);
    return bm::pdf(BoostNormal(), z) * (m.z[k] - m.z[k - 1]) / (m.x[k] - m.x[k - 1]);
  }
  double operator()(const Gamma& m) const { return x < 0 ? 0 : bm::pdf(standard(m), x); }
  double operator()(const StudentT& m) const { return bm::pdf(standard(m), x); }
};

struct LocScale {
  double loc, scale;
};
LocScale loc_scale(const Marginal& marginal) {
  return std::visit([](const auto& m) { return LocScale{m.loc, m.scale}; }, marginal);
}

struct ShapeCheck {
  static bool positive(double v) { return std::isfinite(v) && v > 0; }
  std::string_view operator()(const Beta& m) const {
    return positive(m.a) && positive(m.b) ? "" : "a and b must be positive";
  }
  std::string_view operator()(const Gamma& m) const { return positive(m.a) ? "" : "a must be positive"; }
  std::string_view operator()(const StudentT& m) const { return positive(m.df) ? "" : "df must be positive"; }
  std::string_view operator()(const TruncatedGaussian& m) const {
    if (!(std::isfinite(m.a) && std::isfinite(m.b) && m.a < m.b)) return "a must lie below b";
    // Further out than 30 sigma the truncated law underflows.
    return 1 - normal_cdf(m.a) - normal_cdf(-m.b) > 0 ? "" : "a and b leave no probability between them";
  }
  std::string_view operator()(const Empirical& m) const {
    if (m.z.empty() || m.z.size() != m.x.size())
      return "an empirical marginal needs as many z as x, and one at least";
    if (m.loc != 0 || m.scale != 1) return "an empirical marginal has loc 0 and scale 1";
    const auto finite = [](double v) { return std::isfinite(v); };
    if (!std::all_of(m.z.begin(), m.z.end(), finite) || !std::all_of(m.x.begin(), m.x.end(), finite))
      return "its knots must be finite";
    if (!std::is_sorted(m.z.begin(), m.z.end()) || !std::is_sorted(m.x.begin(), m.x.end()))
      return "its knots must ascend";
    return "";
  }
  std::string_view operator()(const Gaussian&) const { return ""; }
  std::string_view operator()(const Uniform&) const { return ""; }
};

}  // namespace

std::string_view family_name(const Marginal& marginal) {
  constexpr std::string_view kNames[] = {"beta",  "gaussian",  "uniform",  "truncated_gaussian",
                                         "gamma", "student_t", "empirical"};
  static_assert(std::size(kNames) == std::variant_size_v<Marginal>);
  return kNames[marginal.index()];
}

std::string_view check_marginal(const Marginal& marginal) {
  const auto [loc, scale] = loc_scale(marginal);
  if (!std::isfinite(loc)) return "loc must be finite";
  if (!std::isfinite(scale) || scale < 0) return "scale must be finite and not negative";
  if (scale == 0) return "";
  return std::visit(ShapeCheck{}, marginal);
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }

double normal_quantile(double u) {
  if (u <= 0) return -kInfinity;
  if (u >= 1) return kInfinity;
  return bm::quantile(BoostNormal(), u);
}

double quantile_at(const Marginal& marginal, double z) {
  const auto [loc, scale] = loc_scale(marginal);
  return scale == 0 ? loc : loc + scale * std::visit(StandardQuantile{z}, marginal);
}

double normal_score(const Marginal& marginal, double x) {
  const auto [loc, scale] = loc_scale(marginal);
  if (scale == 0) return x < loc ? -kInfinity : kInfinity;
  return std::visit(StandardScore{(x - loc) / scale}, marginal);
}

double density(const Marginal& marginal, double x) {
  const auto [loc, scale] = loc_scale(marginal);
  return scale == 0 ? 0 : std::visit(StandardDensity{(x - loc) / scale}, marginal) / scale;
}

}  // namespace maeil::copula
