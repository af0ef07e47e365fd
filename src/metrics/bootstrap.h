// How sure F1 is: percentile bootstraps over rows (Efron and Tibshirani 1993, chapter 13), of one classifier
// and of two on the same rows.
//
// F1 sees rows only through counts of cells, so drawing cells with their frequencies is the same as drawing
// rows with replacement, from Philox(seed, kBootstrap). Of up to 100,000 rows each is drawn; of more the
// counts are drawn as a chain of binomials, exactly where fewer than 30 are expected in a cell, else by their
// normal approximation, so that time does not grow.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "metrics/classification.h"

namespace maeil::metrics {

// 95 % of F1. A draw without a positive has no F1 and is left out; absent when those are more than 5 % of the
// draws (fewer than three positives).
std::optional<Interval> bootstrap_f1_interval(const ConfusionMatrix& confusion, uint64_t seed,
                                              int resamples = 1000);

// Decisions of two classifiers on the same rows.
struct PairedDecisions {
  // rows by 4 label + 2 (the first decides for a positive) + (the second does)
  std::array<int64_t, 8> counts = {};

  void add(bool label, bool first, bool second) { ++counts[4 * label + 2 * first + second]; }
  ConfusionMatrix first() const;
  ConfusionMatrix second() const;
  int64_t rows() const;
  int64_t positives() const;
};

// F1 of the first minus F1 of the second; absent without a positive.
std::optional<double> f1_difference(const PairedDecisions& decisions);

// 95 % of that difference, both F1 of each draw's same rows: what the two have in common cancels out, so it
// is narrower than two intervals tell. Absent as that of bootstrap_f1_interval.
std::optional<Interval> bootstrap_f1_difference(const PairedDecisions& decisions, uint64_t seed,
                                                int resamples = 1000);

// The same of rows that belong together: a borrower's loans, a machine on several days. Whole units are
// drawn, so that what is alike within one is not taken for evidence of its own. O(units x resamples), on all
// threads.
std::optional<Interval> bootstrap_f1_difference(std::span<const PairedDecisions> units, uint64_t seed,
                                                int resamples = 1000);

}  // namespace maeil::metrics
