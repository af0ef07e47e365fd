// Which category a normal score falls into: the ends of the category's intervals as z, found through a guide
// over z.
#pragma once

#include <cstdint>
#include <vector>

#include "copula/model.h"

namespace maeil::copula {

class CategoryTable {
 public:
  CategoryTable(const Marginal& marginal, const CategoryOutput& output);

  // The index of z's interval in CategoryOutput: the first k with F^-1(Phi(z)) <= upper[k].
  uint32_t operator()(float z) const {
    float position = (z + kReach) * per_unit_;
    position = position > 0 ? position : 0;
    const auto cell = position < last_cell_ ? static_cast<uint32_t>(static_cast<int>(position))
                                            : static_cast<uint32_t>(last_cell_);
    uint32_t first = guide_[cell], last = guide_[cell + 2];  // the answer lies in first..last; see guide_
    while (first < last) {
      const uint32_t middle = (first + last) / 2;
      if (upper_[middle] < z)
        first = middle + 1;
      else
        last = middle;
    }
    return first;
  }

 private:
  static constexpr float kReach = 6;
  float per_unit_ = 0, last_cell_ = 0;
  std::vector<float> upper_;  // (K-1) z at the upper ends but the last
  // (cells+2) how many upper ends lie below the cell's start, or within its rounding error
  std::vector<uint32_t> guide_;
};

}  // namespace maeil::copula
