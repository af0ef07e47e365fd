// Correlations of what is seen in each class, and the latent correlations behind them.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "copula/latent.h"

namespace maeil::copula {

// One latent of one class: how scores lie on z.
struct Latent {
  ScoreShape shape;
  std::vector<float> scores;  // of the class's correlation rows; NaN where missing
};

// Correlations of scores over the rows where both are there, and how many those are. Tiles of columns run on
// all threads; each entry is summed by one thread in the rows' order. A pair of which one is constant has no
// correlation: its r is 0 and so are its rows.
struct Correlations {
  Eigen::MatrixXd r, rows;
  bool pooled = true;  // counts in what all classes have together
};
// `n`: rows in each latent's scores, which are moved out of the latents. Runs on all threads.
Correlations correlate_scores(std::vector<Latent>& latents, size_t n);

// Latent correlations of each class, positive definite: measured ones lean on all classes' pooled one with 10
// rows' weight, and those of rare values are shrunk. Runs on all threads.
struct LatentMatrices {
  std::vector<Eigen::MatrixXd> correlation;  // by class, (L x L)
  std::vector<CorrelationRepair> repairs;    // by class
};
LatentMatrices latent_matrices(const std::vector<Correlations>& classes,
                               const std::vector<std::vector<ScoreShape>>& shapes);

}  // namespace maeil::copula
