// Rows as (probability, label), in the order of their probability.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace maeil::metrics {

struct ScoredRow {
  double probability;
  uint8_t label;
};

// (rows) with the highest probability first; equal ones in no order. REQUIRES: as many labels as
// probabilities, none of which is NaN.
inline std::vector<ScoredRow> by_falling_probability(std::span<const double> probabilities,
                                                     std::span<const uint8_t> labels) {
  std::vector<ScoredRow> out(labels.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = {probabilities[i], labels[i]};
  std::ranges::sort(out, std::greater<>{}, &ScoredRow::probability);
  return out;
}

}  // namespace maeil::metrics
