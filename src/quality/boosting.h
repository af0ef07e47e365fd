// Gradient boosted trees for two classes: the judge of whether synthetic rows teach what the real ones do.
//
// Friedman, "Greedy function approximation: a gradient boosting machine" (2001), with Newton leaves and
// histograms as in LightGBM (Ke et al. 2017): 100 trees of up to 16 leaves, grown best split first, learning
// rate 0.1, logistic loss, L2 penalty 1 on a leaf. The plain settings of a first look; the same for every
// training set, so that only the data differ. No randomness: the result is a function of the rows and their
// order, at any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace maeil::quality {

// Values as bins 0..kMaxBins-1 whose order means something; bin 0 is for missing values.
inline constexpr size_t kMaxBins = 64;
struct BinnedRows {
  size_t rows = 0;
  std::vector<std::vector<uint8_t>> columns;  // (C, rows)
};

class BoostedTrees {
 public:
  // labels: (rows) of 0 and 1. REQUIRES: rows >= 1.
  static BoostedTrees fit(const BinnedRows& data, const std::vector<uint8_t>& labels);
  // (rows) P(label 1). REQUIRES: the columns of fit.
  std::vector<double> predict(const BinnedRows& data) const;

 private:
  struct Node {
    int32_t column = -1;  // -1: a leaf
    uint8_t bin = 0;      // a row goes left when its bin is not above
    int32_t left = 0, right = 0;
    double value = 0;
  };
  using Tree = std::vector<Node>;
  struct Grower;

  double base_ = 0;  // log odds
  std::vector<Tree> trees_;
};

}  // namespace maeil::quality
