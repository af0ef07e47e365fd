// Metrics of a binary classifier as pure functions of (probability, label).
//
// Definitions are scikit-learn's and SciPy's (accuracy_score, precision_score ... with zero_division = 0,
// roc_auc_score, average_precision_score, brier_score_loss, log_loss with probabilities clipped to
// [1e-15, 1 - 1e-15], ks_2samp's statistic), ties included, and agree with them to 1e-12. Gini = 2 AUC - 1.
// What is undefined is absent (never NaN) and says why.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"

namespace maeil::metrics {

struct ConfusionMatrix {
  int64_t true_negative = 0, false_positive = 0, false_negative = 0, true_positive = 0;
  int64_t total() const { return true_negative + false_positive + false_negative + true_positive; }
};

struct Interval {
  double low = 0, high = 0;
};

struct ClassificationMetrics {
  ConfusionMatrix confusion;
  double accuracy = 0, precision = 0, recall = 0, f1_score = 0;
  double default_rate = 0;  // share of label 1
  double brier = 0, log_loss = 0;
  std::optional<double> roc_auc, pr_auc, ks, gini;  // absent when only one class is present
  std::string undefined_reason;                     // why they are absent; "" otherwise
};

// `probabilities[i]` is P(label 1), `labels[i]` 0 or 1; the decision is probability >= 0.5.
// O(n log n) time, 16 bytes a row of scratch memory. kBadInput: no rows, or a probability that is NaN or outside [0, 1].
Result<ClassificationMetrics> classification_metrics(std::span<const double> probabilities,
                                                     std::span<const uint8_t> labels);

double f1_score(const ConfusionMatrix& confusion);  // 0 when there is no positive at all

// Percentile bootstrap of F1 over rows (95 %), `resamples` draws with replacement from Philox(seed, kBootstrap).
// F1 sees rows only through the four cells, so drawing cells with their frequencies is the same as drawing rows.
Interval bootstrap_f1_interval(const ConfusionMatrix& confusion, uint64_t seed, int resamples = 1000);

// P(class 1) from two logits, computed without overflow.
double probability_of_default(float logit0, float logit1);

}  // namespace maeil::metrics
