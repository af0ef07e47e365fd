// Chooses the calibrator that rows which were not learnt from speak for, by cross-validated log loss.
//
// Candidates, from the simplest on: none, Platt, beta, isotonic. The rows are dealt into 5 folds, each label
// by itself, so that every fold has its share of positives; each candidate is fitted on four and scored on
// the fifth. Chosen is the simplest candidate that is not worse than the best one by more than one standard
// error of the difference, row by row (the rule of Breiman et al. 1984, section 3.4.3, with the difference's
// own error: both are scored on the same rows). Near ties so go to the simpler one, and exact ties too. It is
// then fitted to all rows.
//
// A candidate is not tried on fewer than
//   Platt     10 rows of the rarer label: ten events for each slope (Peduzzi et al. 1996),
//   beta      20, as it has two slopes,
//   isotonic  1,000 rows (Niculescu-Mizil, Caruana 2005, figure 7: below that it overfits and Platt is
//   better)
//             and 100 of the rarer label: ten blocks of ten, whose rates are then known to within a third.
// "none" needs no rows at all: the prior shift is undone in closed form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/calibration.h"

namespace maeil::model {

inline constexpr uint32_t kCalibrationFolds = 5;

struct CalibrationCandidate {
  CalibrationMethod method = CalibrationMethod::kNone;
  // Mean log loss of the rows, each held out; and how much it is above the best candidate's, with the
  // standard error of that. Absent when it was not tried.
  std::optional<double> log_loss, above_best, standard_error;
  std::string not_tried;  // why; "" otherwise
};

struct CalibrationChoice {
  Calibration calibration;
  uint64_t rows = 0, positives = 0;
  std::vector<CalibrationCandidate> candidates;  // one of each method, from the simplest on
};

// `probabilities[i]` is P(label 1) as the model says it, `labels[i]` 0 or 1: validation rows, never those
// that the model learnt, and never `test`. `prior_weight` as in Calibration. O(n log n), 120 bytes a row of
// scratch memory; a function of its arguments alone, folds included (Philox, kCalibration). Too few rows
// are no error: the choice then is "none". kBadInput for what is no probability or no weight; kInternal as
// metrics::check_scored_rows.
Result<CalibrationChoice> choose_calibration(std::span<const double> probabilities,
                                             std::span<const uint8_t> labels, double prior_weight,
                                             uint64_t seed);

// What is recorded of a choice: {"rows", "positives", "folds", "method", "candidates": [{"method",
// "log_loss", "above_best", "standard_error"} or {"method", "not_tried"}]}.
Json to_json(const CalibrationChoice& choice);

}  // namespace maeil::model
