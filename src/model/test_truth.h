// A made-up book of loans whose true probabilities of default are known. Only for tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/philox.h"

namespace maeil::model {

inline double test_sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
inline double test_logit(double p) { return std::log(p / (1 - p)); }

inline double test_normal(RandomSequence& random) {
  const double radius = std::sqrt(-2 * std::log(random.next_uniform()));
  return radius * std::cos(6.283185307179586 * random.next_uniform());
}

struct TestBook {
  std::vector<double> truth;    // (rows) P(label 1): its logit is normal, -4.2 and 2; 6 % default
  std::vector<uint8_t> labels;  // (rows) drawn by it
  uint64_t positives = 0;
};

inline TestBook test_book(uint64_t seed, size_t rows) {
  TestBook out;
  RandomSequence random(seed, RandomStream::kBootstrap, 0);
  for (size_t i = 0; i < rows; ++i) {
    out.truth.push_back(test_sigmoid(-4.2 + 2 * test_normal(random)));
    out.labels.push_back(random.next_uniform() < out.truth.back());
    out.positives += out.labels.back();
  }
  return out;
}

// (rows) each truth with its logit changed.
template <class Change>
std::vector<double> with_logits(const std::vector<double>& truth, Change&& change) {
  std::vector<double> out;
  for (const double p : truth) out.push_back(test_sigmoid(change(test_logit(p))));
  return out;
}

inline double mean_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

}  // namespace maeil::model
