// Logistic regression on a handful of features, to soft targets, without a penalty.
//
// Newton's method with backtracking on the cross entropy, which never overflows (Lin, Lin, Weng 2007, whose
// algorithm 1 has one feature). Targets that are strictly between 0 and 1 give a finite answer on any rows,
// also where a feature separates the labels. For features whose number is known when compiling; it allocates
// nothing.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace maeil::model {

inline double logit(double p) { return std::log(p / (1 - p)); }

// What a row of label 0 and of label 1 is fitted to, within (0, 1); and the mean over the rows.
struct SoftTargets {
  double of_label[2];
  double mean;
};

// K features and an intercept, which comes last.
template <size_t K>
struct LogisticRows {
  using Weights = std::array<double, K + 1>;
  std::vector<std::array<double, K>> features;  // (rows)
  std::span<const uint8_t> labels;              // (rows)
  SoftTargets targets;

  double score(const Weights& w, size_t row) const {
    double z = w[K];
    for (size_t k = 0; k < K; ++k) z += w[k] * features[row][k];
    return z;
  }

  // Sum of ln(1 + e^z) - t z, by whichever form does not overflow.
  double loss(const Weights& w) const {
    double sum = 0;
    for (size_t i = 0; i < features.size(); ++i) {
      const double z = score(w, i), t = targets.of_label[labels[i]];
      sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - t * z;
    }
    return sum;
  }
};

// Solves h x = g for a positive definite h, by Cholesky's decomposition.
template <size_t N>
std::array<double, N> solve(std::array<std::array<double, N>, N> h, std::array<double, N> g) {
  for (size_t j = 0; j < N; ++j) {
    for (size_t k = 0; k < j; ++k) h[j][j] -= h[j][k] * h[j][k];
    h[j][j] = std::sqrt(h[j][j]);
    for (size_t i = j + 1; i < N; ++i) {
      for (size_t k = 0; k < j; ++k) h[i][j] -= h[i][k] * h[j][k];
      h[i][j] /= h[j][j];
    }
    for (size_t k = 0; k < j; ++k) g[j] -= h[j][k] * g[k];
    g[j] /= h[j][j];
  }
  for (size_t j = N; j-- > 0;) {
    for (size_t k = j + 1; k < N; ++k) g[j] -= h[k][j] * g[k];
    g[j] /= h[j][j];
  }
  return g;
}

// The weights of the least loss, from `w` on.
template <size_t K>
Result<std::array<double, K + 1>> least_loss(const LogisticRows<K>& rows, std::array<double, K + 1> w) {
  constexpr size_t N = K + 1;
  const double n = static_cast<double>(rows.features.size());
  for (int step = 0; step < 100; ++step) {
    std::array<double, N> gradient{};
    std::array<std::array<double, N>, N> hessian{};
    for (size_t i = 0; i < rows.features.size(); ++i) {
      const double p = 1 / (1 + std::exp(-rows.score(w, i)));
      const double error = p - rows.targets.of_label[rows.labels[i]], curvature = p * (1 - p);
      std::array<double, N> x;
      std::copy_n(rows.features[i].begin(), K, x.begin());
      x[K] = 1;
      for (size_t j = 0; j < N; ++j) {
        gradient[j] += error * x[j];
        for (size_t k = 0; k <= j; ++k) hessian[j][k] += curvature * x[j] * x[k];
      }
    }
    // A feature that is 0 keeps its weight.
    for (size_t j = 0; j < N; ++j) hessian[j][j] += 1e-9 * hessian[j][j] + 1e-12;
    const auto direction = solve(hessian, gradient);
    double decrement = 0;
    for (size_t j = 0; j < N; ++j) decrement += gradient[j] * direction[j];
    const auto moved = [&](double size) {
      auto out = w;
      for (size_t j = 0; j < N; ++j) out[j] -= size * direction[j];
      return out;
    };
    double size = 1;
    // Below 1e-8 a row the full step is safe, and what it gains is lost in the loss's rounding.
    if (!(decrement <= 1e-8 * n)) {
      const double loss = rows.loss(w);
      while (size > 1e-10 && !(rows.loss(moved(size)) <= loss - 1e-4 * size * decrement)) size /= 2;
    }
    w = moved(size);
    if (decrement <= 1e-20 * n) return w;  // far below what a weight's last digits change
  }
  return fail(ErrorCode::kFailed, fmt::format("calibration: no least loss was found for {} rows in 100 steps",
                                              rows.features.size()));
}

// The weights of the least cross entropy, the intercept last; weight 0 for a feature that says nothing but
// what those before it say. `features` is scratch memory. O(rows) a step, one thread. kFailed: no least loss
// in 100 steps. REQUIRES: as many labels as features, at least one.
template <size_t K>
Result<std::array<double, K + 1>> fit_logistic(std::vector<std::array<double, K>> features,
                                               std::span<const uint8_t> labels, const SoftTargets& targets) {
  LogisticRows<K> rows{std::move(features), labels, targets};
  // Newton's method works on features that say different things in like units, however near to one another
  // the probabilities are: each feature from its mean on, less what those before say too, in units of the
  // rest's spread (Gram, Schmidt). A feature whose rest is but rounding counts as 0: all rows have the same,
  // or it says what those before say.
  const double n = static_cast<double>(rows.features.size());
  std::array<double, K> mean{}, spread{};
  std::array<std::array<double, K>, K> said{};  // of feature k by feature j < k
  for (size_t k = 0; k < K; ++k) {
    double largest = 0, whole = 0;
    for (const auto& x : rows.features) {
      mean[k] += x[k] / n;
      largest = std::max(largest, std::abs(x[k]));
    }
    for (auto& x : rows.features) {
      x[k] -= mean[k];
      whole += x[k] * x[k] / n;
    }
    for (size_t j = 0; j < k; ++j) {
      for (const auto& x : rows.features) said[k][j] += x[k] * x[j] / n;
      for (auto& x : rows.features) x[k] -= said[k][j] * x[j];
    }
    for (const auto& x : rows.features) spread[k] += x[k] * x[k] / n;
    spread[k] = std::sqrt(spread[k]);
    const bool nothing = spread[k] <= std::max(1e-12 * largest, k > 0 ? 1e-6 * std::sqrt(whole) : 0);
    if (nothing) spread[k] = 1;
    for (auto& x : rows.features) x[k] = nothing ? 0 : x[k] / spread[k];
  }
  std::array<double, K + 1> w{};  // from the base rate on, where no row is so sure that it has no curvature
  w[K] = logit(targets.mean);
  MAEIL_ASSIGN(w, least_loss(rows, w));
  for (size_t k = K; k-- > 0;) {
    w[k] /= spread[k];
    for (size_t j = 0; j < k; ++j) w[j] -= w[k] * said[k][j];
    w[K] -= w[k] * mean[k];
  }
  return w;
}

}  // namespace maeil::model
