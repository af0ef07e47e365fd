// Beta and gamma: Newton on the likelihood's equations, which need only means of logarithms (Minka 2002 for
// gamma). Truncated normal: the likelihood needs only mean and variance. Student t: expectation-maximisation
// for each of some degrees of freedom (Liu and Rubin 1995). All on at most 2,000 evenly spaced order
// statistics.
#include "copula/choose_marginal.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <utility>

namespace maeil::copula {
namespace {

// Where a value has no digamma the answer is NaN, and the family is passed over.
using Quiet = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>>;
double digamma(double x) { return boost::math::digamma(x, Quiet()); }
double trigamma(double x) { return boost::math::trigamma(x, Quiet()); }

constexpr std::array<std::pair<std::string_view, MarginalChoice>, 9> kNames{
    {{"empirical", MarginalChoice::kEmpirical},
     {"auto", MarginalChoice::kAuto},
     {"beta", MarginalChoice::kBeta},
     {"gamma", MarginalChoice::kGamma},
     {"gaussian", MarginalChoice::kGaussian},
     {"kde", MarginalChoice::kKde},
     {"student_t", MarginalChoice::kStudentT},
     {"truncated_gaussian", MarginalChoice::kTruncatedGaussian},
     {"uniform", MarginalChoice::kUniform}}};

// Evenly spaced order statistics and what the families ask of them.
struct Sample {
  std::vector<double> x;  // ascending
  double mean = 0, variance = 0, min = 0, max = 0;

  explicit Sample(const std::vector<double>& sorted) : min(sorted.front()), max(sorted.back()) {
    const size_t n = std::min<size_t>(sorted.size(), 2000);
    for (size_t i = 0; i < n; ++i) x.push_back(sorted[(2 * i + 1) * sorted.size() / (2 * n)]);
    for (const double v : x) mean += v / static_cast<double>(n);
    for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(n);
  }
  double range() const { return max - min; }
  double sd() const { return std::sqrt(variance); }
  // False for values so large that squares overflow, or so close together that a double has no place beside
  // the outermost.
  bool has_shape() const {
    const double margin = range() / static_cast<double>(x.size());
    return std::isfinite(range() * range()) && std::isfinite(variance) && variance > 0 &&
           min - margin < min && max + margin > max;
  }
};

Marginal fit_beta(const Sample& s) {
  const double margin = s.range() / static_cast<double>(s.x.size()), loc = s.min - margin,
               scale = s.range() + 2 * margin;
  double log_x = 0, log_rest = 0;
  for (const double v : s.x) {
    const double u = (v - loc) / scale;
    log_x += std::log(u) / static_cast<double>(s.x.size());
    log_rest += std::log1p(-u) / static_cast<double>(s.x.size());
  }
  const double m = (s.mean - loc) / scale, v = s.variance / (scale * scale),
               size = std::max(m * (1 - m) / v - 1, 0.1);
  double a = m * size, b = (1 - m) * size;
  for (int step = 0; step < 50; ++step) {
    const double both = digamma(a + b), slope = trigamma(a + b);
    const double f = digamma(a) - both - log_x, g = digamma(b) - both - log_rest;
    const double fa = trigamma(a) - slope, gb = trigamma(b) - slope, determinant = fa * gb - slope * slope;
    const double da = (f * gb + g * slope) / determinant, db = (g * fa + f * slope) / determinant;
    const double a_next = std::max(a - da, a / 4), b_next = std::max(b - db, b / 4);
    const bool there = std::abs(a_next - a) < 1e-10 * a && std::abs(b_next - b) < 1e-10 * b;
    a = a_next, b = b_next;
    if (there) break;
  }
  return Beta{a, b, loc, scale};
}

Marginal fit_gamma(const Sample& s) {
  // From 0 when all values are above it and far from it in their own range, else from just below the least
  // one.
  const double loc = s.min > 0 && s.min < s.range() ? 0 : s.min - s.range() / static_cast<double>(s.x.size());
  double log_x = 0;
  for (const double v : s.x) log_x += std::log(v - loc) / static_cast<double>(s.x.size());
  const double mean = s.mean - loc, gap = std::log(mean) - log_x;
  double a = (3 - gap + std::sqrt((gap - 3) * (gap - 3) + 24 * gap)) / (12 * gap);
  for (int step = 0; step < 20; ++step) {
    const double next = 1 / (1 / a + (digamma(a) - std::log(a) + gap) / (a * a * (1 / a - trigamma(a))) * -1);
    if (!(next > 0) || std::abs(next - a) < 1e-12 * a) break;
    a = next;
  }
  return Gamma{a, loc, mean / a};
}

Marginal fit_truncated_gaussian(const Sample& s) {
  const auto cost = [&](double loc, double scale) {
    const double a = (s.min - loc) / scale, b = (s.max - loc) / scale;
    const double inside = a > 0 ? normal_cdf(-a) - normal_cdf(-b) : normal_cdf(b) - normal_cdf(a);
    if (!(inside > 1e-300)) return 1e300;
    return std::log(scale) + std::log(inside) +
           (s.variance + (s.mean - loc) * (s.mean - loc)) / (2 * scale * scale);
  };
  const auto minimum = [](const auto& of, double low, double high) {
    boost::uintmax_t steps = 200;  // some 30 are needed
    return boost::math::tools::brent_find_minima(of, low, high, 24, steps);
  };
  const auto best_loc = [&](double scale) {
    return minimum([&](double loc) { return cost(loc, scale); }, s.min - 8 * scale, s.max + 8 * scale);
  };
  const auto best = minimum([&](double log_scale) { return best_loc(std::exp(log_scale)).second; },
                            std::log(s.range() / 100), std::log(s.range() * 5));
  const double scale = std::exp(best.first), loc = best_loc(scale).first;
  return TruncatedGaussian{(s.min - loc) / scale, (s.max - loc) / scale, loc, scale};
}

Marginal fit_student_t(const Sample& s) {
  StudentT best;
  double best_cost = kInfinity;
  for (const double df : {2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0}) {
    StudentT t{df, s.x[s.x.size() / 2], std::max(s.sd(), 1e-300)};
    for (int step = 0; step < 60; ++step) {
      double weight = 0, mean = 0, spread = 0;
      for (const double v : s.x) {
        const double z = (v - t.loc) / t.scale, w = (df + 1) / (df + z * z);
        weight += w;
        mean += w * v;
      }
      const double loc = mean / weight;
      for (const double v : s.x) {
        const double z = (v - t.loc) / t.scale;
        spread += (df + 1) / (df + z * z) * (v - loc) * (v - loc);
      }
      t.loc = loc;
      t.scale = std::sqrt(spread / static_cast<double>(s.x.size()));
    }
    if (!(t.scale > 0)) continue;
    const double constant =
        std::lgamma((df + 1) / 2) - std::lgamma(df / 2) - 0.5 * std::log(df) - std::log(t.scale);
    double cost = 0;
    for (const double v : s.x)
      cost -= constant - (df + 1) / 2 * std::log1p((v - t.loc) * (v - t.loc) / (t.scale * t.scale * df));
    if (cost < best_cost) best = t, best_cost = cost;
  }
  return best;
}

std::optional<Marginal> fit_family(const Sample& s, MarginalChoice choice) {
  Marginal out;
  switch (choice) {
    case MarginalChoice::kBeta:
      out = fit_beta(s);
      break;
    case MarginalChoice::kGamma:
      out = fit_gamma(s);
      break;
    case MarginalChoice::kGaussian:
      out = Gaussian{s.mean, s.sd()};
      break;
    case MarginalChoice::kKde:
      out = kernel_estimate(s.x, s.sd() * std::pow(static_cast<double>(s.x.size()), -0.2));
      break;
    case MarginalChoice::kStudentT:
      out = fit_student_t(s);
      break;
    case MarginalChoice::kTruncatedGaussian:
      out = fit_truncated_gaussian(s);
      break;
    case MarginalChoice::kUniform:
      out = Uniform{s.min, s.range()};
      break;
    case MarginalChoice::kEmpirical:
    case MarginalChoice::kAuto:
      return std::nullopt;
  }
  return check_marginal(out).empty() ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<MarginalChoice> parse_marginal_choice(std::string_view name) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& one) { return one.first == name; });
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

double distance(const Marginal& marginal, const std::vector<double>& sorted) {
  const size_t n = sorted.size(), points = std::min<size_t>(n, 2000);
  double largest = 0;
  for (size_t i = 0; i < points; ++i) {
    const double x = sorted[(2 * i + 1) * n / (2 * points)];
    const auto from = static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin());
    const auto to = static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), x) - sorted.begin());
    const double below = normal_cdf(normal_score(marginal, x));
    largest = std::max({largest, below - to / static_cast<double>(n), from / static_cast<double>(n) - below,
                        std::abs(below - (from + to) / (2 * static_cast<double>(n)))});
  }
  return largest;
}

std::optional<Marginal> choose_marginal(const std::vector<double>& sorted, MarginalChoice choice) {
  if (choice == MarginalChoice::kEmpirical || sorted.empty()) return std::nullopt;
  size_t different = 1;
  for (size_t i = 1; i < sorted.size() && different < 8; ++i) different += sorted[i] != sorted[i - 1];
  if (different < 8) return std::nullopt;
  const Sample sample(sorted);
  if (!sample.has_shape()) return std::nullopt;
  if (choice != MarginalChoice::kAuto) return fit_family(sample, choice);
  std::optional<Marginal> best;
  double smallest = std::max(1.36 / std::sqrt(static_cast<double>(sorted.size())), kGoodDistance);
  for (const auto family :
       {MarginalChoice::kUniform, MarginalChoice::kGaussian, MarginalChoice::kTruncatedGaussian,
        MarginalChoice::kBeta, MarginalChoice::kGamma, MarginalChoice::kStudentT}) {
    const auto fitted = fit_family(sample, family);
    if (!fitted) continue;
    if (const double d = distance(*fitted, sorted); d < smallest) best = fitted, smallest = d;
  }
  return best;
}

Empirical kernel_estimate(const std::vector<double>& sorted, double bandwidth) {
  const Sample s(sorted);
  Empirical out;
  constexpr int kKnots = 512;
  for (int k = 0; k <= kKnots; ++k) {
    const double x = s.min - 3 * bandwidth + (s.range() + 6 * bandwidth) * k / kKnots;
    double below = 0, above = 0;
    for (const double v : s.x) {
      below += normal_cdf((x - v) / bandwidth);
      above += normal_cdf((v - x) / bandwidth);
    }
    const auto n = static_cast<double>(s.x.size());
    const double z = below < above ? normal_quantile(below / n) : -normal_quantile(above / n);
    if (!std::isfinite(z) || (!out.z.empty() && z <= out.z.back())) continue;
    out.z.push_back(z);
    out.x.push_back(x);
  }
  return out;
}

}  // namespace maeil::copula
