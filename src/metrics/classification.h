// Metrics of a binary classifier as pure functions of (probability, label).
//
// Definitions are scikit-learn's and SciPy's (accuracy_score, precision_score, recall_score, f1_score,
// roc_auc_score, average_precision_score, brier_score_loss, log_loss with probabilities clipped to
// [1e-15, 1 - 1e-15], ks_2samp's statistic), ties included, and agree with them to 1e-12. Gini = 2 AUC - 1.
// What is undefined is absent (never 0, never NaN) and says why: scikit-learn gives 0 there and warns
// (zero_division).
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
  double accuracy = 0;
  std::optional<double> precision;         // absent when no row is decided to be a positive
  std::optional<double> recall, f1_score;  // absent without a positive
  double default_rate = 0;                 // share of label 1
  double brier = 0, log_loss = 0;
  std::optional<double> roc_auc, pr_auc, ks, gini;  // absent when only one class is present
  std::string undefined_reason;                     // why some are absent; "" otherwise
};

// Whether there are rows, each with a probability and a label. kBadInput: no rows, or a probability that is
// NaN or outside [0, 1]. kInternal: not as many labels as probabilities, or a label that is neither 0 nor 1.
Status check_scored_rows(std::span<const double> probabilities, std::span<const uint8_t> labels);

// `probabilities[i]` is P(label 1), `labels[i]` 0 or 1; the decision is probability >= threshold, so a
// probability that is the threshold itself decides for label 1. O(n log n) time, 16 bytes a row of scratch
// memory. Errors as check_scored_rows; kInternal for a threshold that is NaN.
Result<ClassificationMetrics> classification_metrics(std::span<const double> probabilities,
                                                     std::span<const uint8_t> labels, double threshold = 0.5);

// Absent without a positive: whatever the model decides there, F1 would be 0, right or wrong.
std::optional<double> f1_score(const ConfusionMatrix& confusion);

// P(class 1) from two logits, computed without overflow.
double probability_of_default(float logit0, float logit1);

}  // namespace maeil::metrics
