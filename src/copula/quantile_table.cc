#include "copula/quantile_table.h"

#include <algorithm>
#include <cmath>

namespace maeil::copula {
namespace {

// 128 suffice for most of the seed's columns; the steepest, a beta with a = 0.0085, ends at 8192.
constexpr size_t kFirstIntervals = 64, kMostIntervals = 8192;

double normal_density(double z) { return 0.39894228040143267794 * std::exp(-0.5 * z * z); }

double slope_at(const Marginal& marginal, double z, double x) {
  const double slope = normal_density(z) / density(marginal, x);
  return std::isfinite(slope) ? slope : 0;
}

// Fritsch and Carlson: slopes of at most three times the secant keep a cubic monotone. One node serves two
// intervals, so the smaller secant counts.
double limited(double slope, double left_rise, double right_rise) {
  return std::clamp(slope, 0.0, 3 * std::min(left_rise, right_rise));
}

}  // namespace

QuantileTable::QuantileTable(const Marginal& marginal, double min, double max)
    : marginal_(marginal), min_(min), max_(max) {
  const auto clipped = [&](double x) { return std::min(std::max(x, min_), max_); };
  std::vector<double> x;
  for (size_t i = 0; i <= kFirstIntervals; ++i) {
    x.push_back(quantile_at(marginal, kTableReach * (2.0 * static_cast<double>(i) / kFirstIntervals - 1)));
  }
  const double share = kTableShare * (clipped(x.back()) - clipped(x.front()));
  for (;;) {
    const size_t n = x.size() - 1;
    const double h = 2 * kTableReach / static_cast<double>(n);
    intervals_ = static_cast<double>(n);
    per_unit_ = 1 / h;
    nodes_.resize(n + 1);
    for (size_t i = 0; i <= n; ++i) {
      const double left = x[i] - x[i ? i - 1 : 0], right = x[std::min(i + 1, n)] - x[i];
      const double slope = h * slope_at(marginal, -kTableReach + h * static_cast<double>(i), x[i]);
      nodes_[i] = {x[i], limited(slope, i ? left : right, i < n ? right : left)};
    }
    if (n >= kMostIntervals) return;
    std::vector<double> finer(2 * n + 1);
    bool good = true;
    for (size_t i = 0; i <= n; ++i) finer[2 * i] = x[i];
    for (size_t i = 0; i < n; ++i) {
      const double z = -kTableReach + h * (static_cast<double>(i) + 0.5);
      const double exact = finer[2 * i + 1] = quantile_at(marginal, z);
      const double error = std::abs((*this)(static_cast<float>(z)) - clipped(exact));
      good =
          good && (error <= share || error * normal_density(z) <= kTableError * slope_at(marginal, z, exact));
    }
    if (good) return;
    x = std::move(finer);
  }
}

double QuantileTable::beyond(double z) const {
  return std::min(std::max(quantile_at(marginal_, z), min_), max_);
}

}  // namespace maeil::copula
