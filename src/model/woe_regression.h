// Logistic regression on weights of evidence, with standard errors; and how those of features correlate.
//
// Newton's method with backtracking, which for the logistic loss is iteratively reweighted least squares
// (McCullagh, Nelder, "Generalized Linear Models", 1989, section 4.4). Standard errors are the roots of the
// diagonal of the inverse of the hessian at the answer. Sums over rows are made in a fixed number of pieces
// and added in their order, so that the answer is the same bits at any number of threads.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace maeil::model {

// K columns of (B) rows: each row's bin, and each bin's value.
struct BinnedColumns {
  struct Column {
    std::span<const uint8_t> bins;  // (B)
    std::vector<double> values;     // of a bin
  };
  std::vector<Column> columns;
  size_t rows = 0;
};

// (K,K) Pearson's correlations; 0 with a column whose rows are all the same. On all threads.
Eigen::MatrixXd correlations(const BinnedColumns& columns);

struct LogisticFit {
  Eigen::VectorXd coefficients;     // the intercept, then K
  Eigen::VectorXd standard_errors;  // of each
  double loss = 0;                  // mean log loss, without the penalty
};

// Of the least sum of log losses + penalty / 2 * (sum of the K coefficients' squares), to rounding. None:
// there is no least one, or none that is certain, since the columns tell all rows of a class from the others
// or say the same together; a penalty above 0 helps. REQUIRES: rows of both classes. On all threads.
std::optional<LogisticFit> fit_logistic(const BinnedColumns& columns, std::span<const int32_t> labels,
                                        double penalty);

}  // namespace maeil::model
