// SDMetrics' quality scores: Column Shapes (KSComplement, TVComplement) and Column Pair Trends
// (CorrelationSimilarity, ContingencySimilarity), by the definitions of SDMetrics 0.32.0, the version that
// SDV 1.32.0 is used with.
//
// KSComplement: 1 - sup|F_real - F_synthetic| over values rounded to 14 decimals, missing left out.
// TVComplement: 1 - sum|p_real - p_synthetic| / 2 over categories, missing left out.
// CorrelationSimilarity: 1 - |r_real - r_synthetic| / 2, Pearson's r over the rows where both are there; no
// score for a constant. ContingencySimilarity: 1 - sum|p_real - p_synthetic| / 2 over pairs of categories,
// missing being one of them. In a mixed pair the continuous column is cut into ten bins of equal width
// between its own table's minimum and maximum. All rows are counted, where SDMetrics draws 50,000 at random
// for contingencies. Scores do not depend on threads.
#pragma once

#include <string>
#include <vector>

#include "quality/columns.h"

namespace maeil::quality {

// NaN stands for "no score".
struct ColumnScore {
  std::string name, metric;
  double score;
};
struct PairScore {
  size_t first, second;  // of Data::columns
  bool correlation;      // else contingency
  double score;          // whatever the strength
  double strength;       // in the real data: |r|, or Cramér's V
  bool strong;           // |r| > 0.5, V > 0.3: what the current averaging counts
};
struct Scores {
  std::vector<ColumnScore> columns;
  std::vector<PairScore> pairs;
  double column_shapes;
  double pair_trends;      // mean over the strong pairs: SDMetrics' current averaging
  double pair_trends_all;  // mean over all pairs: its older averaging
  double overall, overall_all;
};

Scores score(const Data& data);

}  // namespace maeil::quality
