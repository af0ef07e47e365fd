#include "model/calibration_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/classification.h"
#include "model/logistic_fit.h"

namespace maeil::model {
namespace {

SoftTargets platt_targets(double negatives, double positives) {
  SoftTargets out{{1 / (negatives + 2), (positives + 1) / (positives + 2)}, 0};
  out.mean = (negatives * out.of_label[0] + positives * out.of_label[1]) / (negatives + positives);
  return out;
}

template <size_t K, class Features>
Result<std::array<double, K + 1>> fit_features(std::span<const double> probabilities,
                                               std::span<const uint8_t> labels, const SoftTargets& targets,
                                               Features&& features_of) {
  std::vector<std::array<double, K>> features;
  features.reserve(probabilities.size());
  for (const double p : probabilities) features.push_back(features_of(within_logarithms(p)));
  return fit_logistic<K>(std::move(features), labels, targets);
}

Result<Calibrator> fit_platt(std::span<const double> probabilities, std::span<const uint8_t> labels,
                             const SoftTargets& targets) {
  MAEIL_ASSIGN(const auto w, fit_features<1>(probabilities, labels, targets,
                                             [](double p) { return std::array{logit(p)}; }));
  if (w[0] < 0) return PlattCalibrator{0, logit(targets.mean)};
  return PlattCalibrator{w[0], w[1]};
}

Result<Calibrator> fit_beta(std::span<const double> probabilities, std::span<const uint8_t> labels,
                            const SoftTargets& targets) {
  MAEIL_ASSIGN(const auto w, fit_features<2>(probabilities, labels, targets, [](double p) {
                 return std::array{std::log(p), -std::log1p(-p)};
               }));
  if (w[0] >= 0 && w[1] >= 0) return BetaCalibrator{w[0], w[1], w[2]};
  const bool drop_a = w[0] < 0;
  MAEIL_ASSIGN(const auto rest, fit_features<1>(probabilities, labels, targets, [&](double p) {
                 return std::array{drop_a ? -std::log1p(-p) : std::log(p)};
               }));
  if (rest[0] < 0) return BetaCalibrator{0, 0, logit(targets.mean)};
  return drop_a ? BetaCalibrator{0, rest[0], rest[1]} : BetaCalibrator{rest[0], 0, rest[1]};
}

Result<Calibrator> fit_isotonic(std::span<const double> probabilities, std::span<const uint8_t> labels,
                                const SoftTargets& targets) {
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
  const SoftTargets targets = platt_targets(negatives, positives);
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
