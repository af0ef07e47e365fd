// How well probabilities agree with what happens: a reliability table over bins of equal mass, and the
// expected calibration error of it. Pure functions of (probability, label).
//
// The edges of the bins are the k/bins quantiles of the probabilities, linear between neighbouring rows. A
// row belongs to the first bin whose upper edge is not below it, so rows of equal probability are never
// divided: bins then have unequal numbers of rows, and one that ends up without any is left out. That is
// sklearn.calibration.calibration_curve(strategy="quantile"), and equal to it to 1e-12 but where an edge is a
// row's own probability and scikit-learn's edge is off by its rounding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "metrics/classification.h"

namespace maeil::metrics {

inline constexpr int kReliabilityBins = 10;

struct ReliabilityBin {
  int64_t rows = 0, positives = 0;
  double mean_probability = 0;
  double observed_rate = 0;  // positives / rows
  Interval interval;         // of the rate behind it, 95 %, Wilson
};

// Wilson's score interval of a rate at 95 % (Wilson 1927), within [0, 1]. REQUIRES: 0 <= positives <= rows,
// and rows >= 1.
Interval wilson_interval(int64_t positives, int64_t rows);

// By rising probability, at most `bins` and at least one. O(n log n), 16 bytes a row of scratch memory.
// Errors as check_scored_rows; kInternal for fewer than one bin.
Result<std::vector<ReliabilityBin>> reliability_table(std::span<const double> probabilities,
                                                      std::span<const uint8_t> labels,
                                                      int bins = kReliabilityBins);

// The mean over rows of |mean probability - observed rate| of their bin (Naeini, Cooper, Hauskrecht 2015;
// with bins of equal mass, Nguyen, O'Connor 2015). Chance alone keeps it above 0: a bin's rate is off by
// sqrt(p (1 - p) / rows). REQUIRES: a bin.
double expected_calibration_error(std::span<const ReliabilityBin> table);

}  // namespace maeil::metrics
