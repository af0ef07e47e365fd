// What each token adds to a row's log odds of label 1: integrated gradients (Sundararajan, Taly, Yan,
// "Axiomatic Attribution for Deep Networks", ICML 2017), along the straight line of the tokens from a base
// row to the row.
//
// The base row knows nothing: each category is one that the model never saw, each number is 0, which is its
// median. The integral is by Gauss-Legendre nodes, so many of them that the parts add up to within
// kLargestGap; a row that needs more than kMostNodes has a larger gap.
#pragma once

#include <span>
#include <vector>

#include "nn/rows.h"
#include "nn/score.h"

namespace maeil::nn {

inline constexpr double kLargestGap = 0.02;  // of log odds, and of each unit that a row is from the base
inline constexpr int kFewestNodes = 4, kMostNodes = 64;

struct IntegratedGradients {
  std::vector<double> parts;  // (B, F), tokens in the model's order
  double base = 0;            // log odds of the base row
  double largest_gap = 0;     // of any row: |base + sum of its parts - its log odds|
};

// On all threads; a row's parts are the same bits whichever rows it is asked with. kBadInput as
// Scorer::score. REQUIRES: two classes.
Result<IntegratedGradients> integrated_gradients(const Scorer& scorer, const Rows& rows);

}  // namespace maeil::nn
