#include "model/calibration_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "metrics/classification.h"
#include "model/calibration_fit.h"

namespace maeil::model {
namespace {

constexpr CalibrationMethod kMethods[] = {CalibrationMethod::kNone, CalibrationMethod::kPlatt,
                                          CalibrationMethod::kBeta, CalibrationMethod::kIsotonic};

struct LeastRows {
  uint64_t rows, rarer;  // all; of the rarer label
};

LeastRows least_rows(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::kNone:
      return {0, 0};
    case CalibrationMethod::kPlatt:
      return {0, 10};
    case CalibrationMethod::kBeta:
      return {0, 20};
    case CalibrationMethod::kIsotonic:
      return {1000, 100};
  }
  return {};
}

std::string why_not_tried(CalibrationMethod method, uint64_t rows, uint64_t positives) {
  const auto least = least_rows(method);
  if (rows < least.rows) return fmt::format("{} rows, and {} are needed", rows, least.rows);
  const uint64_t rarer = std::min(positives, rows - positives);
  if (rarer >= least.rarer) return "";
  return fmt::format("{} rows with the label {}, and {} are needed", rarer, positives == rarer ? 1 : 0,
                     least.rarer);
}

// (rows) 0..kCalibrationFolds-1: each label's rows in an order by chance, dealt in turn.
std::vector<uint8_t> stratified_folds(std::span<const uint8_t> labels, uint64_t seed) {
  std::vector<uint8_t> fold(labels.size());
  std::vector<uint32_t> rows;
  for (const uint8_t label : {0, 1}) {
    rows.clear();
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == label) rows.push_back(static_cast<uint32_t>(i));
    }
    RandomSequence random(seed, RandomStream::kCalibration, label);
    for (size_t i = rows.size(); i > 1; --i)
      std::swap(rows[i - 1], rows[random.next_below(static_cast<uint32_t>(i))]);
    for (size_t i = 0; i < rows.size(); ++i) fold[rows[i]] = static_cast<uint8_t>(i % kCalibrationFolds);
  }
  return fold;
}

double row_log_loss(double p, uint8_t label) {
  p = within_logarithms(p);
  return label ? -std::log(p) : -std::log1p(-p);
}

// (rows) each row's log loss by a calibrator that is fitted to the other folds.
Result<std::vector<double>> held_out_losses(std::span<const double> probabilities,
                                            std::span<const uint8_t> labels, std::span<const uint8_t> fold,
                                            CalibrationMethod method) {
  std::vector<double> losses(labels.size());
  if (method == CalibrationMethod::kNone) {
    for (size_t i = 0; i < losses.size(); ++i) losses[i] = row_log_loss(probabilities[i], labels[i]);
    return losses;
  }
  std::vector<double> fit_probabilities;
  std::vector<uint8_t> fit_labels;
  for (uint32_t k = 0; k < kCalibrationFolds; ++k) {
    fit_probabilities.clear(), fit_labels.clear();
    for (size_t i = 0; i < losses.size(); ++i) {
      if (fold[i] == k) continue;
      fit_probabilities.push_back(probabilities[i]), fit_labels.push_back(labels[i]);
    }
    Calibration calibration;
    MAEIL_ASSIGN(calibration.calibrator, fit_calibrator(fit_probabilities, fit_labels, method));
    for (size_t i = 0; i < losses.size(); ++i) {
      if (fold[i] == k) losses[i] = row_log_loss(calibrated(calibration, probabilities[i]), labels[i]);
    }
  }
  return losses;
}

// The mean of a - b row by row, and its standard error. REQUIRES: at least 2 rows.
struct MeanDifference {
  double mean, standard_error;
};

MeanDifference mean_difference(std::span<const double> a, std::span<const double> b) {
  const double n = static_cast<double>(a.size());
  double mean = 0, squares = 0;
  for (size_t i = 0; i < a.size(); ++i) mean += (a[i] - b[i]) / n;
  for (size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - mean, 2);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

double mean_log_loss(std::span<const double> losses) {
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

}  // namespace

Result<CalibrationChoice> choose_calibration(std::span<const double> probabilities,
                                             std::span<const uint8_t> labels, double prior_weight,
                                             uint64_t seed) {
  CalibrationChoice out;
  out.calibration.prior_weight = prior_weight;
  MAEIL_TRY(check_calibration(out.calibration));
  if (!probabilities.empty() || !labels.empty()) MAEIL_TRY(metrics::check_scored_rows(probabilities, labels));
  out.rows = labels.size();
  out.positives = static_cast<uint64_t>(std::count(labels.begin(), labels.end(), 1));

  std::vector<double> undone(probabilities.begin(), probabilities.end());
  calibrate(out.calibration, undone);
  const auto fold = stratified_folds(labels, seed);
  std::vector<std::vector<double>> losses;  // (candidates, rows); empty: not tried
  const std::vector<double>* best = nullptr;
  double best_loss = 0;
  losses.reserve(std::size(kMethods));
  for (const auto method : kMethods) {
    out.candidates.push_back({.method = method, .not_tried = why_not_tried(method, out.rows, out.positives)});
    losses.emplace_back();
    auto& candidate = out.candidates.back();
    if (out.rows == 0 || !candidate.not_tried.empty()) continue;
    auto held_out = held_out_losses(undone, labels, fold, method);
    if (!held_out && held_out.error().code == ErrorCode::kFailed) {
      candidate.not_tried = held_out.error().message;
      continue;
    }
    MAEIL_ASSIGN(losses.back(), std::move(held_out));
    candidate.log_loss = mean_log_loss(losses.back());
    if (best && *candidate.log_loss >= best_loss) continue;
    best = &losses.back(), best_loss = *candidate.log_loss;
  }

  std::optional<CalibrationMethod> chosen;
  for (size_t m = 0; m < losses.size(); ++m) {
    if (losses[m].size() < 2) continue;
    const auto [mean, error] = mean_difference(losses[m], *best);
    out.candidates[m].above_best = mean, out.candidates[m].standard_error = error;
    if (!chosen && mean <= error) chosen = out.candidates[m].method;
  }
  if (chosen && *chosen != CalibrationMethod::kNone) {
    MAEIL_ASSIGN(out.calibration.calibrator, fit_calibrator(undone, labels, *chosen));
  }
  return out;
}

Json to_json(const CalibrationChoice& choice) {
  Json candidates = Json::array();
  for (const auto& candidate : choice.candidates) {
    Json item = {{"method", to_string(candidate.method)}};
    if (candidate.log_loss) item["log_loss"] = *candidate.log_loss;
    if (candidate.above_best) item["above_best"] = *candidate.above_best;
    if (candidate.standard_error) item["standard_error"] = *candidate.standard_error;
    if (!candidate.not_tried.empty()) item["not_tried"] = candidate.not_tried;
    candidates.push_back(std::move(item));
  }
  return {{"rows", choice.rows},
          {"positives", choice.positives},
          {"folds", kCalibrationFolds},
          {"method", to_string(method_of(choice.calibration.calibrator))},
          {"candidates", std::move(candidates)}};
}

}  // namespace maeil::model
