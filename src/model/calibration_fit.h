// Fits one calibrator to probabilities and labels.
//
// Platt and beta are logistic regressions by Newton's method (Lin, Lin, Weng 2007: a loss without overflow,
// and backtracking), both on Platt's targets: (P + 1) / (P + 2) for each of the P positives, 1 / (N + 2) for
// each of the N negatives. Kull et al. fit beta to the labels themselves, which has no finite answer where
// scores separate the classes; with the targets there always is one, and the two differ by O(1 / P).
//
// A slope that turns out negative would turn the order of the rows round. Platt's is then 0, which leaves the
// base rate; of beta the coefficient is dropped and the rest fitted again, as Kull et al. do (a before b).
// The loss is convex, so where one of them is negative that is the best of the monotone fits.
//
// Isotonic is pool adjacent violators: equal probabilities are one point, and neighbours whose rates do not
// rise are pooled. Between the blocks it is linear, from the last row of one to the first of the next, as
// scikit-learn's: steps would jump there, by rows that nobody has seen. Rates are kept within Platt's
// targets, so never 0 or 1: a 0 makes the log loss infinite when a row of that block defaults.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "model/calibration.h"

namespace maeil::model {

// `probabilities[i]` is P(label 1) with the prior shift undone, `labels[i]` 0 or 1. O(n log n) for isotonic,
// O(n) a Newton step else; at most 64 bytes a row of scratch memory. One thread; the same bits each time.
// kBadInput as metrics::check_scored_rows, and without a row of each label. kFailed: Newton's method found no
// minimum in 100 steps, or isotonic has more than kMostIsotonicPoints.
Result<Calibrator> fit_calibrator(std::span<const double> probabilities, std::span<const uint8_t> labels,
                                  CalibrationMethod method);

}  // namespace maeil::model
