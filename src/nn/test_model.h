// Shared by tests and benchmarks of nn: random rows, and comparisons that can fail.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/philox.h"
#include "nn/model.h"
#include "nn/rows.h"

namespace maeil::nn::testing {

// The largest |a - b|; infinity where the lengths differ or a value is not finite, so that no comparison
// passes by accident.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
  if (std::size(a) != std::size(b) || std::size(a) == 0) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < std::size(a); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!std::isfinite(difference)) return INFINITY;
    worst = std::max(worst, difference);
  }
  return worst;
}

template <class A>
double l2(const A& a) {
  double sum = 0;
  for (double x : a) sum += x * x;
  return std::sqrt(sum);
}

// |a - b| / |b| in the l2 norm; infinity as above.
template <class A, class B>
double relative_difference(const A& a, const B& b) {
  if (std::size(a) != std::size(b) || std::size(a) == 0) return INFINITY;
  double sum = 0;
  for (size_t i = 0; i < std::size(a); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    if (!std::isfinite(difference)) return INFINITY;
    sum += difference * difference;
  }
  const double norm = l2(b);
  return norm > 0 ? std::sqrt(sum) / norm : (sum > 0 ? INFINITY : 0);
}

// Random rows that fit a shape, with about one unknown code in 20 when `unknowns` is set.
struct TestRows {
  std::vector<int32_t> codes, labels;
  std::vector<float> numbers;
  size_t count = 0;
  LabelledRows view() const { return {{codes, numbers, count}, labels}; }
};

inline TestRows random_rows(const ModelShape& shape, size_t count, uint64_t seed, bool unknowns = false) {
  RandomSequence random(seed, RandomStream::kSplit, 0);
  TestRows rows;
  rows.count = count;
  for (size_t i = 0; i < count; ++i) {
    for (int cardinality : shape.cardinalities) {
      const bool unknown = unknowns && random.next_below(20) == 0;
      rows.codes.push_back(unknown ? -1 : static_cast<int32_t>(random.next_below(cardinality)));
    }
    for (int j = 0; j < shape.numeric; ++j)
      rows.numbers.push_back(static_cast<float>(4 * random.next_uniform() - 2));
    rows.labels.push_back(static_cast<int32_t>(random.next_below(shape.classes)));
  }
  return rows;
}

}  // namespace maeil::nn::testing
