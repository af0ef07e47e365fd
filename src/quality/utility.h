// Train on synthetic, test on real: does a learner that saw only synthetic rows know the real ones? (Esteban,
// Hyland, Rätsch 2017)
//
// The learner (tree_learner.h) is fitted twice, on the synthetic rows and on the real ones, with bins and
// categories of its own training rows, and tested on the same held-out real rows: those of the held-out file,
// else every third or so of the real rows (30 %, by a hash of the row number), which are then not trained on.
// Several classes: one learner each against the rest.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "quality/columns.h"

namespace maeil::quality {

struct Learned {
  size_t rows = 0;         // that it was trained on
  double f1 = 0, auc = 0;  // auc NaN: no test row of some class
};

struct Utility {
  std::string target;
  // the first is the one that F1 and AUC are of when there are two: the rarer in the real training rows
  std::vector<std::string> classes;
  size_t test_rows = 0;
  bool holdout_file = false;  // else the synthesizer may have seen the test rows
  // F1 at P = 0.5, or of the likeliest class; with more than two classes unweighted means over classes
  Learned synthetic, real;
};

inline constexpr size_t kMaxTargetClasses = 32;

// kUsage: no such column, or none beside it; one class, more than kMaxTargetClasses. kNotFound: XGBoost,
// which learns the trees, is not installed, with the package that has it; all that is kUsage is found before.
// Rows without target, or of a class that no real training row has, are left out.
Result<Utility> train_on_synthetic(const Data& data, const std::string& target);

}  // namespace maeil::quality
