// One sort by falling probability serves AUC, average precision and KS: each is a sum over groups of equal
// probability. Counts stay integers until the last division, so ties cost no accuracy.
#include "metrics/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "metrics/scored_rows.h"

namespace maeil::metrics {
namespace {

std::optional<double> ratio(double part, double whole) {
  return whole == 0 ? std::nullopt : std::optional(part / whole);
}

// Kahan-Neumaier sum: 1e-12 against scikit-learn's pairwise sums at any number of rows.
struct Sum {
  double value = 0, rest = 0;
  void add(double x) {
    const double next = value + x;
    rest += std::abs(value) >= std::abs(x) ? (value - next) + x : (x - next) + value;
    value = next;
  }
  double total() const { return value + rest; }
};

void rank_metrics(std::span<const double> probabilities, std::span<const uint8_t> labels, double positives,
                  double negatives, ClassificationMetrics& out) {
  const auto rows = by_falling_probability(probabilities, labels);

  // Twice the area in units of (positive, negative) pairs: an integer far below 2^127.
  __int128 twice_area = 0;
  int64_t true_positive = 0, false_positive = 0;
  Sum average_precision;
  double largest_gap = 0;
  for (size_t first = 0; first < rows.size();) {
    size_t last = first;
    int64_t group_positive = 0;
    while (last < rows.size() && rows[last].probability == rows[first].probability)
      group_positive += rows[last++].label;
    const int64_t group_negative = static_cast<int64_t>(last - first) - group_positive;
    twice_area += static_cast<__int128>(group_negative) * (2 * true_positive + group_positive);
    true_positive += group_positive;
    false_positive += group_negative;
    average_precision.add(group_positive / positives *
                          (static_cast<double>(true_positive) / (true_positive + false_positive)));
    largest_gap = std::max(largest_gap, std::abs(true_positive / positives - false_positive / negatives));
    first = last;
  }
  out.roc_auc = static_cast<double>(twice_area) / 2 / positives / negatives;
  out.gini = 2 * *out.roc_auc - 1;
  out.pr_auc = average_precision.total();
  out.ks = largest_gap;
}

// REQUIRES: the metrics are computed.
std::string why_undefined(const ClassificationMetrics& m, double positives, double negatives) {
  std::string out;
  if (positives == 0 || negatives == 0) {
    out =
        fmt::format("all {} rows have the label {}: {}ranking metrics need both classes", m.confusion.total(),
                    positives == 0 ? 0 : 1, positives == 0 ? "recall and F1 need a positive, " : "");
  }
  if (!m.precision)
    out += fmt::format("{}no row is decided to be a default: precision needs one", out.empty() ? "" : "; ");
  return out;
}

}  // namespace

std::optional<double> f1_score(const ConfusionMatrix& c) {
  if (c.true_positive + c.false_negative == 0) return std::nullopt;
  return 2.0 * c.true_positive / (2.0 * c.true_positive + c.false_positive + c.false_negative);
}

Status check_scored_rows(std::span<const double> probabilities, std::span<const uint8_t> labels) {
  if (probabilities.size() != labels.size())
    return internal_error("metrics: as many probabilities as labels are needed");
  if (labels.empty()) return bad_input("metrics: there are no labelled rows to evaluate");
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i];
    if (!(p >= 0 && p <= 1)) return bad_input(fmt::format("metrics: row {} has the probability {}", i, p));
    if (labels[i] > 1)
      return internal_error(
          fmt::format("metrics: row {} has the label {}, which is neither 0 nor 1", i, labels[i]));
  }
  return {};
}

Result<ClassificationMetrics> classification_metrics(std::span<const double> probabilities,
                                                     std::span<const uint8_t> labels, double threshold) {
  MAEIL_TRY(check_scored_rows(probabilities, labels));
  if (std::isnan(threshold)) return internal_error("metrics: the threshold is not a number");
  ClassificationMetrics out;
  Sum brier, log_loss;
  auto& c = out.confusion;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i];
    const bool decided = p >= threshold, actual = labels[i] == 1;
    ++(actual ? (decided ? c.true_positive : c.false_negative)
              : (decided ? c.false_positive : c.true_negative));
    brier.add((p - actual) * (p - actual));
    const double clipped = std::clamp(p, 1e-15, 1 - 1e-15);
    log_loss.add(-std::log(actual ? clipped : 1 - clipped));
  }
  const double n = static_cast<double>(labels.size());
  const double positives = static_cast<double>(c.true_positive + c.false_negative), negatives = n - positives;
  out.accuracy = (c.true_positive + c.true_negative) / n;
  out.precision = ratio(c.true_positive, c.true_positive + c.false_positive);
  out.recall = ratio(c.true_positive, positives);
  out.f1_score = f1_score(c);
  out.default_rate = positives / n;
  out.brier = brier.total() / n;
  out.log_loss = log_loss.total() / n;
  if (positives > 0 && negatives > 0) rank_metrics(probabilities, labels, positives, negatives, out);
  out.undefined_reason = why_undefined(out, positives, negatives);
  return out;
}

double probability_of_default(float logit0, float logit1) {
  const double difference = static_cast<double>(logit1) - logit0;
  if (difference >= 0) return 1 / (1 + std::exp(-difference));
  const double e = std::exp(difference);
  return e / (1 + e);
}

}  // namespace maeil::metrics
