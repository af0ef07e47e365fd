// The polygon x(z) of an empirical marginal, looked up through a guide over z: three comparisons a value,
// without a branch that depends on it. Immutable, so threads may share it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "copula/marginal.h"

namespace maeil::copula {

class EmpiricalTable {
 public:
  // x is clipped to [min, max], which may be infinite. REQUIRES: check_marginal holds.
  EmpiricalTable(const Empirical& marginal, double min, double max) : z_(marginal.z) {
    for (const double x : marginal.x) x_.push_back(std::min(std::max(x, min), max));
    const size_t K = z_.size();
    // Four cells a knot, as in CategoryTable.
    const size_t cells = std::clamp<size_t>(std::bit_ceil(4 * K), 64, 65536);
    per_unit_ = static_cast<double>(cells) / (2 * kReach);
    last_cell_ = static_cast<double>(cells - 1);
    guide_.reserve(cells + 1);
    guide_.push_back(0);
    uint32_t below = 0;
    for (size_t cell = 1; cell < cells; ++cell) {
      // The cell of a z at its edge is a matter of rounding, hence the 1e-9.
      const double edge = static_cast<double>(cell) / per_unit_ - kReach - 1e-9;
      while (below < K && z_[below] < edge) ++below;
      guide_.push_back(below);
    }
    guide_.push_back(static_cast<uint32_t>(K));
    z_.insert(z_.end(), kSteps, std::numeric_limits<double>::infinity());
    x_.push_back(x_.back());
  }

  double operator()(float score) const {
    const double z = score, position = std::min(std::max((z + kReach) * per_unit_, 0.0), last_cell_);
    const uint32_t* cell = &guide_[static_cast<size_t>(static_cast<int>(position))];
    // The first knot with z_[k] >= z.
    size_t k = cell[0];
    for (int step = 0; step < kSteps; ++step) k += z_[k] < z;
    if (z_[k] < z) [[unlikely]]
      k = static_cast<size_t>(std::lower_bound(z_.begin() + static_cast<std::ptrdiff_t>(k), z_.end(), z) -
                              z_.begin());
    if (k == 0) return x_.front();
    const double left = z_[k - 1];
    return x_[k - 1] + (z - left) / (z_[k] - left) * (x_[k] - x_[k - 1]);
  }

 private:
  static constexpr double kReach = 6;
  static constexpr int kSteps = 3;
  std::vector<double> z_, x_;  // (K), and beyond the last knot infinity and its x
  double per_unit_ = 0, last_cell_ = 0;
  std::vector<uint32_t> guide_;  // (cells + 1) the first knot that a z of the cell may need
};

}  // namespace maeil::copula
