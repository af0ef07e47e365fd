// A scorecard as people read it: each feature's bins with their rows, rates, weights of evidence and points,
// and the coefficients with what their standard errors say of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/scorecard.h"

namespace maeil::model {

struct BinLine {
  std::vector<std::string> values;    // of a category
  std::optional<double> from, below;  // of a number, in the column's own units; none: no bound
  bool without = false;               // the bin of missing numbers, or of categories that were never seen
  ClassCounts counts;
  double share = 0;                  // of the rows
  std::optional<double> event_rate;  // none: it has no rows
  double weight_of_evidence = 0, information_value = 0;
  std::optional<double> points;  // not rounded; none: the feature has no part in the score
};

// "20 to 35" is 20 <= x < 35. Of a category's values `most` are named.
std::string describe(const BinLine& line, bool categorical, size_t most);

// `p_value`: how likely a coefficient at least so far from 0 is where the true one is 0, by Wald's test (both
// tails of the normal).
struct Estimate {
  double coefficient = 0, standard_error = 0, z = 0, p_value = 0;
};
Estimate wald_test(double coefficient, double standard_error);

struct FeatureTable {
  std::string name;
  bool categorical = false;
  std::string left_out;  // "": it has a part in the score
  double information_value = 0;
  std::optional<Estimate> estimate;
  std::vector<BinLine> bins;
};

struct ScorecardTable {
  ClassCounts learnt;
  Estimate intercept;
  double penalty = 0;
  PointScale scale;
  double least_points = 0, most_points = 0;  // of any row
  std::vector<FeatureTable> features;  // that have a part, the greatest information value first; the rest
};

// REQUIRES: the preparation that it was made with.
ScorecardTable table_of(const Scorecard& scorecard, const prep::Preparation& preparation);

}  // namespace maeil::model
