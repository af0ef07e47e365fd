// x = F^-1(Phi(z)) of one numeric column by monotone cubic interpolation over z, the sampler's inner loop.
//
// Nodes lie evenly on [-kTableReach, kTableReach]; between them a cubic Hermite polynomial with the exact
// slopes dx/dz = phi(z) / f(x), limited as Fritsch and Carlson do so that x never falls where z rises (SIAM
// J. Numer. Anal. 17, 1980). The number of nodes doubles until, at every midpoint, the error is at most
// kTableError in u (that is, the error in x times the density there), as much as single precision moves z by;
// or, where values crowd together so that no error in u is small, kTableShare of the column's clipped range.
// (A table ends at 8,192 intervals.) Beyond the reach (5.7e-7 of all values) the exact quantile is evaluated.
#pragma once

#include <vector>

#include "copula/marginal.h"

namespace maeil::copula {

inline constexpr double kTableReach = 5.0;
inline constexpr double kTableError = 1e-7;
inline constexpr double kTableShare = 1e-8;

class QuantileTable {
 public:
  // x is clipped to [min, max], which may be infinite.
  QuantileTable(const Marginal& marginal, double min, double max);

  double operator()(float z) const {
    const double position = (static_cast<double>(z) + kTableReach) * per_unit_;
    if (!(position >= 0 && position < intervals_)) return beyond(z);
    const auto i = static_cast<size_t>(static_cast<int>(position));
    const double t = position - static_cast<double>(i);
    const Node &left = nodes_[i], &right = nodes_[i + 1];
    const double rise = right.x - left.x;
    // Hermite form in t: x0 + t*(m0 + t*((3*rise - 2*m0 - m1) + t*(m0 + m1 - 2*rise)))
    const double x = left.x + t * (left.slope + t * ((3 * rise - 2 * left.slope - right.slope) +
                                                     t * (left.slope + right.slope - 2 * rise)));
    return x < min_ ? min_ : x > max_ ? max_ : x;
  }

  size_t intervals() const { return static_cast<size_t>(intervals_); }

 private:
  struct Node {
    double x, slope;  // slope: dx per interval
  };
  double beyond(double z) const;

  Marginal marginal_;
  double min_, max_;
  double per_unit_ = 0, intervals_ = 0;
  std::vector<Node> nodes_;
};

}  // namespace maeil::copula
