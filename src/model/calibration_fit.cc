#include "model/calibration_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/classification.h"

namespace maeil::model {
namespace {

// What a row of label 0 and of label 1 is fitted to.
struct PlattTargets {
  double of_label[2];
  double mean;
};

PlattTargets platt_targets(double negatives, double positives) {
  PlattTargets out{{1 / (negatives + 2), (positives + 1) / (positives + 2)}, 0};
  out.mean = (negatives * out.of_label[0] + positives * out.of_label[1]) / (negatives + positives);
  return out;
}

double logit(double p) { return std::log(p / (1 - p)); }

// Logistic regression on K features and an intercept, which comes last.
template <size_t K>
struct LogisticRows {
  using Weights = std::array<double, K + 1>;
  std::vector<std::array<double, K>> features;  // (rows)
  std::span<const uint8_t> labels;              // (rows)
  PlattTargets targets;

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
    // Where all probabilities are alike the features say the same and many weights are best: this chooses
    // one.
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

template <size_t K, class Features>
Result<std::array<double, K + 1>> fit_logistic(std::span<const double> probabilities,
                                               std::span<const uint8_t> labels, const PlattTargets& targets,
                                               Features&& features) {
  LogisticRows<K> rows{{}, labels, targets};
  rows.features.reserve(probabilities.size());
  for (const double p : probabilities) rows.features.push_back(features(within_logarithms(p)));
  std::array<double, K + 1> start;
  start.fill(1);
  start[K] = 0;  // p itself
  return least_loss(rows, start);
}

Result<Calibrator> fit_platt(std::span<const double> probabilities, std::span<const uint8_t> labels,
                             const PlattTargets& targets) {
  MAEIL_ASSIGN(const auto w, fit_logistic<1>(probabilities, labels, targets,
                                             [](double p) { return std::array{logit(p)}; }));
  if (w[0] < 0) return PlattCalibrator{0, logit(targets.mean)};
  return PlattCalibrator{w[0], w[1]};
}

Result<Calibrator> fit_beta(std::span<const double> probabilities, std::span<const uint8_t> labels,
                            const PlattTargets& targets) {
  MAEIL_ASSIGN(const auto w, fit_logistic<2>(probabilities, labels, targets, [](double p) {
                 return std::array{std::log(p), -std::log1p(-p)};
               }));
  if (w[0] >= 0 && w[1] >= 0) return BetaCalibrator{w[0], w[1], w[2]};
  const bool drop_a = w[0] < 0;
  MAEIL_ASSIGN(const auto rest, fit_logistic<1>(probabilities, labels, targets, [&](double p) {
                 return std::array{drop_a ? -std::log1p(-p) : std::log(p)};
               }));
  if (rest[0] < 0) return BetaCalibrator{0, 0, logit(targets.mean)};
  return drop_a ? BetaCalibrator{0, rest[0], rest[1]} : BetaCalibrator{rest[0], 0, rest[1]};
}

Result<Calibrator> fit_isotonic(std::span<const double> probabilities, std::span<const uint8_t> labels,
                                const PlattTargets& targets) {
  struct Block {
    double first, last;  // probabilities
    int64_t rows, positives;
  };
  std::vector<Block> sorted(labels.size());
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = {probabilities[i], probabilities[i], 1, labels[i]};
  std::sort(sorted.begin(), sorted.end(), [](const Block& a, const Block& b) { return a.first < b.first; });

  std::vector<Block> blocks;
  const auto pool = [&](const Block& with) {
    blocks.back().last = with.last;
    blocks.back().rows += with.rows, blocks.back().positives += with.positives;
  };
  for (size_t i = 0; i < sorted.size();) {
    blocks.push_back(sorted[i]);
    while (++i < sorted.size() && sorted[i].first == blocks.back().last) pool(sorted[i]);
    while (blocks.size() > 1) {
      const Block b = blocks.back();
      const Block& a = blocks[blocks.size() - 2];
      // Rates as whole numbers: a.positives / a.rows < b.positives / b.rows.
      if (static_cast<__int128>(a.positives) * b.rows < static_cast<__int128>(b.positives) * a.rows) break;
      blocks.pop_back();
      pool(b);
    }
  }

  IsotonicCalibrator out;
  const auto add = [&](double x, double y) {
    const size_t n = out.x.size();
    if (n >= 2 && out.y[n - 1] == y && out.y[n - 2] == y) {
      out.x.back() = x;  // further along the same level
    } else {
      out.x.push_back(x), out.y.push_back(y);
    }
  };
  for (const Block& b : blocks) {
    const double rate = std::clamp(static_cast<double>(b.positives) / static_cast<double>(b.rows),
                                   targets.of_label[0], targets.of_label[1]);
    add(b.first, rate);
    if (b.last > b.first) add(b.last, rate);
  }
  if (out.x.size() > kMostIsotonicPoints)
    return fail(ErrorCode::kFailed, fmt::format("calibration: the isotonic fit has {} points, more than {}",
                                                out.x.size(), kMostIsotonicPoints));
  return out;
}

}  // namespace

Result<Calibrator> fit_calibrator(std::span<const double> probabilities, std::span<const uint8_t> labels,
                                  CalibrationMethod method) {
  MAEIL_TRY(metrics::check_scored_rows(probabilities, labels));
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const double negatives = static_cast<double>(labels.size()) - positives;
  if (positives == 0 || negatives == 0)
    return bad_input(fmt::format("calibration: all {} rows have the label {}, and a fit needs both labels",
                                 labels.size(), positives == 0 ? 0 : 1));
  const PlattTargets targets = platt_targets(negatives, positives);
  switch (method) {
    case CalibrationMethod::kNone:
      return NoCalibrator{};
    case CalibrationMethod::kPlatt:
      return fit_platt(probabilities, labels, targets);
    case CalibrationMethod::kBeta:
      return fit_beta(probabilities, labels, targets);
    case CalibrationMethod::kIsotonic:
      return fit_isotonic(probabilities, labels, targets);
  }
  return internal_error("calibration: an unknown method");
}

}  // namespace maeil::model
