#include "model/threshold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "metrics/classification.h"
#include "metrics/scored_rows.h"

namespace maeil::model {
namespace {

constexpr std::array<std::string_view, 4> kRuleNames = {"argmax", "fixed", "f1", "cost"};

bool is_threshold(double value) { return value >= 0 && value <= 1; }  // false for NaN
bool is_cost(double cost) { return cost > 0 && std::isfinite(cost); }

// Elkan 2001, equation 2. As 1 / (1 + fn / fp), which does not overflow.
double threshold_of(const DecisionCosts& costs) {
  return 1 / (1 + costs.false_negative / costs.false_positive);
}

// Half way between a probability and the next lower one; the upper one where no number lies between.
double half_way(double lower, double upper) {
  const double middle = lower + (upper - lower) / 2;
  return middle > lower ? middle : upper;
}

// REQUIRES: a positive.
double best_f1_threshold(std::span<const double> probabilities, std::span<const uint8_t> labels,
                         uint64_t positives) {
  const auto rows = metrics::by_falling_probability(probabilities, labels);

  // F1 = 2 TP / (flagged + positives), compared as whole numbers.
  uint64_t true_positive = 0, best_true_positive = 0, best_flagged = 0;
  for (size_t first = 0; first < rows.size();) {
    size_t last = first;
    while (last < rows.size() && rows[last].probability == rows[first].probability)
      true_positive += rows[last++].label;
    if (static_cast<unsigned __int128>(true_positive) * (best_flagged + positives) >
        static_cast<unsigned __int128>(best_true_positive) * (last + positives)) {
      best_true_positive = true_positive;
      best_flagged = last;
    }
    first = last;
  }
  const double lower = best_flagged == rows.size() ? 0 : rows[best_flagged].probability;
  return half_way(lower, rows[best_flagged - 1].probability);
}

Result<double> threshold_number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number())
    return bad_input(fmt::format("threshold: there is no number \"{}\"", name));
  return found->get<double>();
}

Result<uint64_t> threshold_count(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer() || *found < 0)
    return bad_input(fmt::format("threshold: there is no count \"{}\"", name));
  return found->get<uint64_t>();
}

Status check_threshold(const Threshold& t) {
  if (!is_threshold(t.value)) return bad_input(fmt::format("threshold: {} is not within [0, 1]", t.value));
  if (t.rule == ThresholdRule::kArgmax && t.value != 0.5)
    return bad_input(fmt::format("threshold: argmax decides at 0.5, not at {}", t.value));
  const bool chosen_on_rows = t.rule == ThresholdRule::kF1 || t.rule == ThresholdRule::kCost;
  if (t.positives > t.rows || chosen_on_rows != (t.positives > 0) || chosen_on_rows != (t.rows > 0))
    return bad_input(fmt::format("threshold: {} positives of {} rows are not what one is chosen on by {}",
                                 t.positives, t.rows, to_string(t.rule)));
  if (!is_cost(t.costs.false_negative) || !is_cost(t.costs.false_positive))
    return bad_input(
        fmt::format("threshold: {} and {} are no costs", t.costs.false_negative, t.costs.false_positive));
  return {};
}

}  // namespace

std::string_view to_string(ThresholdRule rule) { return kRuleNames[static_cast<size_t>(rule)]; }

Result<ThresholdRule> threshold_rule_called(std::string_view name) {
  const auto found = std::find(kRuleNames.begin(), kRuleNames.end(), name);
  if (found == kRuleNames.end())
    return usage_error(fmt::format("threshold: '{}' is none of argmax, fixed, f1 and cost", name));
  return static_cast<ThresholdRule>(found - kRuleNames.begin());
}

Result<Threshold> choose_threshold(const ThresholdRequest& request, std::span<const double> probabilities,
                                   std::span<const uint8_t> labels) {
  Threshold out{.rule = request.rule};
  if (request.rule == ThresholdRule::kArgmax) return out;
  if (request.rule == ThresholdRule::kFixed) {
    if (!is_threshold(request.fixed))
      return usage_error(fmt::format("threshold: {} is not within [0, 1]", request.fixed));
    out.value = request.fixed;
    return out;
  }
  if (request.rule == ThresholdRule::kCost) {
    if (!is_cost(request.costs.false_negative) || !is_cost(request.costs.false_positive))
      return usage_error(
          fmt::format("threshold: the costs {} of a false negative and {} of a false positive "
                      "are not both positive and finite",
                      request.costs.false_negative, request.costs.false_positive));
    out.costs = request.costs;
  }
  MAEIL_TRY(metrics::check_scored_rows(probabilities, labels));
  out.rows = labels.size();
  out.positives = static_cast<uint64_t>(std::count(labels.begin(), labels.end(), 1));
  if (out.positives == 0)
    return bad_input(
        fmt::format("threshold: none of the {} rows is a positive, and {}", out.rows,
                    request.rule == ThresholdRule::kF1
                        ? "F1 is not defined without one"
                        : "whether probabilities are right, as costs need, cannot be seen without one"));
  out.value = request.rule == ThresholdRule::kF1 ? best_f1_threshold(probabilities, labels, out.positives)
                                                 : threshold_of(out.costs);
  return out;
}

Json to_json(const Threshold& threshold) {
  Json out = {{"value", threshold.value},
              {"rule", to_string(threshold.rule)},
              {"rows", threshold.rows},
              {"positives", threshold.positives}};
  if (threshold.rule == ThresholdRule::kCost) {
    out["cost_false_negative"] = threshold.costs.false_negative;
    out["cost_false_positive"] = threshold.costs.false_positive;
  }
  return out;
}

Result<Threshold> threshold_from_json(const Json& json) {
  if (!json.is_object()) return bad_input("threshold: an object is expected");
  Threshold out;
  MAEIL_ASSIGN(out.value, threshold_number(json, "value"));
  const auto rule = json.find("rule");
  if (rule == json.end() || !rule->is_string()) return bad_input("threshold: there is no text \"rule\"");
  const auto known = threshold_rule_called(rule->get_ref<const std::string&>());
  if (!known) return bad_input("threshold: the rule is none of argmax, fixed, f1 and cost");
  out.rule = *known;
  MAEIL_ASSIGN(out.rows, threshold_count(json, "rows"));
  MAEIL_ASSIGN(out.positives, threshold_count(json, "positives"));
  const bool by_cost = out.rule == ThresholdRule::kCost;
  if (by_cost) {
    MAEIL_ASSIGN(out.costs.false_negative, threshold_number(json, "cost_false_negative"));
    MAEIL_ASSIGN(out.costs.false_positive, threshold_number(json, "cost_false_positive"));
  }
  if (const size_t keys = by_cost ? 6 : 4; json.size() != keys)
    return bad_input(
        fmt::format("threshold: {} keys, where one by {} has {}", json.size(), to_string(out.rule), keys));
  MAEIL_TRY(check_threshold(out));
  return out;
}

}  // namespace maeil::model
