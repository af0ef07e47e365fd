// How a scorecard is learnt: bins of each feature, a choice of features, a logistic regression on their
// weights of evidence (woe_regression.h).
//
// A feature is left out, and the scorecard says why,
//   - whose information value is below 0.02, "not useful for prediction" (Siddiqi 2006, chapter 6);
//   - whose WoE correlates by more than 0.75 with that of one with a greater information value (scorecards
//     are cut at 0.7 to 0.8);
//   - whose coefficient is not negative beside the others: it would give a better bin fewer points. The worst
//     of them leaves, and the rest is fitted anew (backward elimination).
#pragma once

#include <memory>

#include "model/scorecard.h"

namespace maeil::model {

struct ScorecardRecipe {
  BinningRules binning;
  double least_information_value = 0.02, most_correlation = 0.75;
  PointScale scale;
};

// What it goes on from keeps its bins and features; the coefficients are fitted anew to the rows, and a
// coefficient that is no longer negative takes its feature out. Rows of one class, or rows that leave no
// feature, leave it as it was. Where the rows are told apart without an error there is no least loss, and a
// penalty of 1 on half the squares of the coefficients is added, which the scorecard says. The same rows give
// the same bytes at any number of threads.
std::unique_ptr<Learner> scorecard_learner(ScorecardRecipe recipe);

}  // namespace maeil::model
