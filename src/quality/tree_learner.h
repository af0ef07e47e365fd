// The learner of train-on-synthetic, test-on-real: XGBoost's trees of model/ on rows of the files.
//
// One recipe for whatever is learnt from, so that only the rows differ: the family's own, but always 100
// trees, since no rows are set aside that could say when to stop; no class weights and no calibration, so
// that P = 0.5 means the same on both sides. Categories are categories: the 255 most frequent of the training
// rows (a number has as many bins) have a code each, all others share one more; where there is none to
// share it, a value that the training rows lack is an unknown one, as in model/. Numbers are float32 and
// missing ones stay missing. Memory: 4 bytes a value of the training and test rows. No randomness: the
// result is the same at any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "model/samples.h"
#include "prep/preparation.h"
#include "quality/columns.h"

namespace maeil::quality {

// Which rows of which file.
struct RowChoice {
  Side ColumnPair::* side;
  std::vector<uint32_t> rows;
};

class TreeLearner {
 public:
  // Of all columns but data.columns[skip]. REQUIRES: there is another one, and a training row.
  TreeLearner(const Data& data, const RowChoice& training, const RowChoice& test, size_t skip);
  // P(label 1) of each test row, learnt from the training rows' labels of 0 and 1. Where those are all the
  // same nothing is learnt, and P is that label. REQUIRES: model::can_learn_trees().
  Result<std::vector<double>> learn(const std::vector<uint8_t>& labels);

 private:
  prep::Preparation preparation_;
  model::Samples training_, test_;
};

}  // namespace maeil::quality
