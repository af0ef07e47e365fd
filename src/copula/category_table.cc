#include "copula/category_table.h"

#include <algorithm>
#include <bit>

namespace maeil::copula {

CategoryTable::CategoryTable(const Marginal& marginal, const CategoryOutput& output) {
  const size_t K = output.labels.size();
  upper_.reserve(K - 1);
  for (size_t k = 0; k + 1 < K; ++k)
    upper_.push_back(static_cast<float>(normal_score(marginal, output.upper[k])));
  // Rounding of z must not disturb the order; equal ends give an interval that is never drawn.
  for (size_t k = 1; k < upper_.size(); ++k) upper_[k] = std::max(upper_[k], upper_[k - 1]);
  // Four cells a category: most lookups then need one comparison.
  const size_t cells = std::clamp<size_t>(std::bit_ceil(4 * K), 64, 65536);
  per_unit_ = static_cast<float>(cells) / (2 * kReach);
  last_cell_ = static_cast<float>(cells - 1);
  guide_.assign(cells + 2, static_cast<uint32_t>(upper_.size()));
  size_t below = 0;
  for (size_t cell = 0; cell < cells; ++cell) {
    // z's cell is computed in single precision, off by less than 0.01 cells.
    const float start = (static_cast<float>(cell) - 0.01f) / per_unit_ - kReach;
    while (cell > 0 && below < upper_.size() && upper_[below] < start) ++below;
    guide_[cell] = static_cast<uint32_t>(below);
  }
}

}  // namespace maeil::copula
