#include "loop/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/dataset_name.h"
#include "loop/evaluation.h"
#include "model/calibration_choice.h"

namespace maeil::loop {
namespace {

// The log loss by which the chosen candidate was chosen; null: none was tried.
store::Document cross_validated_loss(const model::CalibrationChoice& choice) {
  for (const auto& candidate : choice.candidates) {
    if (candidate.method == model::method_of(choice.calibration.calibrator) && candidate.log_loss)
      return *candidate.log_loss;
  }
  return nullptr;
}

}  // namespace

std::optional<model::ThresholdRequest> threshold_request(const Settings& settings,
                                                         const table::DatasetSpec& spec) {
  model::ThresholdRequest out{.rule = model::ThresholdRule::kF1,
                              .costs = {settings.cost_false_negative, settings.cost_false_positive}};
  const std::string& rule = settings.decision_threshold;
  if (rule == "argmax" || (rule.empty() && spec.name == kBuiltinDataset)) return std::nullopt;
  if (rule == "cost") out.rule = model::ThresholdRule::kCost;
  if (rule.empty() || rule == "cost" || rule == "f1") return out;
  out.rule = model::ThresholdRule::kFixed;
  std::from_chars(rule.data(), rule.data() + rule.size(), out.fixed);  // a number: settings.cc looked
  return out;
}

Result<Decided> decide(const Day& day, const model::Learner& learner, const Samples& learn,
                       const JudgedRows& judged, const model::Predictor& predictor,
                       const std::optional<model::Decision>& before, const store::Document& last_epoch,
                       bool compared, dag::TaskContext& context) {
  Decided out;
  out.metrics = last_epoch;
  const auto request = threshold_request(day.settings, day.spec);
  if (!request && (!compared || judged.samples.rows() == 0)) return out;
  // Of rows of one class no shift can be told: that of the version before, if there was one, still holds.
  const double prior_weight =
      learner.prior_weight(learn).value_or(before ? before->calibration.prior_weight : 1.0);
  std::vector<double> probabilities;
  if (judged.samples.rows() > 0) {
    MAEIL_ASSIGN(probabilities, predictor.probabilities(judged.samples.view().rows));
  }
  const std::vector<uint8_t> labels(judged.samples.labels.begin(), judged.samples.labels.end());
  MAEIL_ASSIGN(const auto choice, model::choose_calibration(probabilities, labels, prior_weight,
                                                            static_cast<uint64_t>(day.settings.seed)));
  if (!labels.empty()) out.metrics["cross_validated_log_loss"] = cross_validated_loss(choice);
  if (!request) return out;
  model::Decision decision{.calibration = choice.calibration, .choice = model::to_json(choice)};
  model::calibrate(decision.calibration, probabilities);
  const bool chooses =
      request->rule == model::ThresholdRule::kF1 || request->rule == model::ThresholdRule::kCost;
  const uint64_t negatives = choice.rows - choice.positives;
  if (chooses && std::min(choice.positives, negatives) < kLeastToDecideBy) {
    const double share =
        static_cast<double>(std::ranges::count(learn.labels, 1)) / static_cast<double>(learn.rows());
    decision.threshold = before ? before->threshold
                                : model::Threshold{.value = share > 0 && share < 1 ? share : 0.5,
                                                   .rule = model::ThresholdRule::kFixed};
    context.log(fmt::format(
        "warning: {} of {} {} rows are positive, too few of a class to choose a threshold by {}: "
        "it is {:.4f}, {}",
        choice.positives, choice.rows, judged.name, model::to_string(request->rule), decision.threshold.value,
        before ? "that of the version before" : "the share of positives learnt from"));
  } else {
    MAEIL_ASSIGN(decision.threshold, model::choose_threshold(*request, probabilities, labels));
  }
  if (!labels.empty()) {
    MAEIL_ASSIGN(auto metrics, evaluate_scores({probabilities, labels, 0, decision.threshold.value},
                                               static_cast<uint64_t>(day.settings.seed), judged.name));
    for (const char* name : {"accuracy", "roc_auc", "f1_score", "log_loss", "brier", "threshold",
                             "expected_calibration_error", "measured_on"})
      out.metrics[name] = metrics[name];
  }
  context.log(fmt::format("calibration: {}, on {} {} rows; decided from {:.4f} on, by {}",
                          model::to_string(model::method_of(decision.calibration.calibrator)), labels.size(),
                          judged.name, decision.threshold.value, model::to_string(decision.threshold.rule)));
  out.decision = std::move(decision);
  return out;
}

}  // namespace maeil::loop
