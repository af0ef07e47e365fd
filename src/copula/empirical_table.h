// The polygon x(z) of an empirical marginal, looked up through a guide over z: two or three comparisons a value.
// Immutable, so threads may share it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
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
    for (size_t cell = 0; cell < cells; ++cell) {
      const auto below = [&](double edge) { return static_cast<uint32_t>(std::lower_bound(z_.begin(), z_.end(), edge) - z_.begin()); };
      const double start = static_cast<double>(cell) / per_unit_ - kReach;
      guide_.push_back({cell == 0 ? 0 : below(start - 1e-9), cell + 1 == cells ? static_cast<uint32_t>(K) : below(start + 1 / per_unit_ + 1e-9)});
    }
  }

  double operator()(float score) const {
    const double z = score, position = std::min(std::max((z + kReach) * per_unit_, 0.0), last_cell_);
    const auto cell = static_cast<size_t>(static_cast<int>(position));
    auto [first, last] = guide_[cell];
    while (first < last) {
      const uint32_t middle = (first + last) / 2;
      if (z_[middle] < z) first = middle + 1;
      else last = middle;
    }
    if (first == 0) return x_.front();
    if (first == z_.size()) return x_.back();
    const double left = z_[first - 1], width = z_[first] - left;
    return width > 0 ? x_[first - 1] + (z - left) / width * (x_[first] - x_[first - 1]) : x_[first];
  }

 private:
  static constexpr double kReach = 6;
  std::vector<double> z_, x_;   // (K)
  double per_unit_ = 0, last_cell_ = 0;
  struct Cell {
    uint32_t first, last;  // the first knot with z_[k] >= z lies in first..last
  };
  std::vector<Cell> guide_;
};

}  // namespace maeil::copula
