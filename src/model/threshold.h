// The threshold of a decision: a row is decided to be a positive when its probability is at least the
// threshold, so a row exactly on it is one.
//
// By F1: the one of the greatest F1 on these rows, over all that decide differently. It is half way between
// the last probability that it decides for and the next lower one, which keeps both equally far from new rows
// (half of the lowest one where all rows are positives). Of several with the same F1 the highest: the fewest
// rows are flagged for the same.
//
// By cost: cost_fp / (cost_fp + cost_fn), where the expected costs of both decisions are equal (Elkan 2001,
// equation 2). It asks for calibrated probabilities, and then no threshold is better; the least cost on the
// rows themselves follows their noise (docs/calibration.md has both measured). The rows are counted, not
// searched.
//
// Argmax: 0.5, what imports and a recipe of old have. The two classes' logits are equal there, and maeil
// decides for the positive; NumPy's argmax would take class 0.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "model/calibration.h"

namespace maeil::model {

enum class ThresholdRule { kArgmax, kFixed, kF1, kCost };
std::string_view to_string(ThresholdRule rule);  // "argmax", "fixed", "f1", "cost"
// kUsage for another name.
Result<ThresholdRule> threshold_rule_called(std::string_view name);

// What a wrong decision costs, in any one unit; only their ratio counts.
struct DecisionCosts {
  double false_negative = 1, false_positive = 1;
};

struct Threshold {
  double value = 0.5;  // in [0, 1]
  ThresholdRule rule = ThresholdRule::kArgmax;
  uint64_t rows = 0, positives = 0;  // that it was chosen on; 0 for argmax and fixed
  DecisionCosts costs;               // of kCost
};

inline bool decides_positive(const Threshold& threshold, double p) { return p >= threshold.value; }

struct ThresholdRequest {
  ThresholdRule rule = ThresholdRule::kArgmax;
  double fixed = 0.5;   // of kFixed
  DecisionCosts costs;  // of kCost
};

// `probabilities[i]` is the calibrated P(label 1), `labels[i]` 0 or 1: validation rows; argmax and fixed need
// none. O(n log n) time and 16 bytes a row of scratch memory for F1, O(n) else. kUsage: a fixed threshold
// outside [0, 1], costs that are not positive and finite. kBadInput: by F1 or cost without a positive, or as
// metrics::check_scored_rows.
Result<Threshold> choose_threshold(const ThresholdRequest& request, std::span<const double> probabilities,
                                   std::span<const uint8_t> labels);

// {"value", "rule", "rows", "positives"}, by cost also "cost_false_negative" and "cost_false_positive".
Json to_json(const Threshold& threshold);
// From untrusted JSON: kBadInput names what is wrong; a key that is not known is wrong.
Result<Threshold> threshold_from_json(const Json& json);

}  // namespace maeil::model
