#include "copula/correlate.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"

namespace maeil::copula {
namespace {

using Matrix = Eigen::MatrixXf;
// A class's correlations lean on the pooled ones with the weight of so many rows.
constexpr double kPooledRows = 10;

}  // namespace

Correlations correlate_scores(std::vector<Latent>& latents, size_t n) {
  const auto L = static_cast<Eigen::Index>(latents.size());
  Matrix x(static_cast<Eigen::Index>(n), L), there(static_cast<Eigen::Index>(n), L);
  for (Eigen::Index l = 0; l < L; ++l) {
    auto& scores = latents[static_cast<size_t>(l)].scores;
    for (size_t i = 0; i < n; ++i) {
      const bool present = scores[i] == scores[i];
      x(static_cast<Eigen::Index>(i), l) = present ? scores[i] : 0;
      there(static_cast<Eigen::Index>(i), l) = present;
    }
    scores = {};
  }
  const Matrix squares = x.cwiseAbs2();
  Eigen::MatrixXd products(L, L), counts(L, L), sums(L, L), square_sums(L, L);
  constexpr Eigen::Index kTile = 32;
  parallel_for(static_cast<size_t>((L + kTile - 1) / kTile), 1, [&](size_t first, size_t last) {
    for (size_t t = first; t < last; ++t) {
      const Eigen::Index c = static_cast<Eigen::Index>(t) * kTile, width = std::min(kTile, L - c);
      // Pieces of 4,096 rows in single precision, added up in double.
      for (auto* sum : {&products, &counts, &sums, &square_sums}) sum->middleCols(c, width).setZero();
      for (Eigen::Index row = 0; row < x.rows(); row += 4096) {
        const Eigen::Index height = std::min<Eigen::Index>(4096, x.rows() - row);
        const auto right = there.block(row, c, height, width);
        products.middleCols(c, width) +=
            (x.middleRows(row, height).transpose() * x.block(row, c, height, width)).cast<double>();
        counts.middleCols(c, width) += (there.middleRows(row, height).transpose() * right).cast<double>();
        sums.middleCols(c, width) += (x.middleRows(row, height).transpose() * right).cast<double>();
        square_sums.middleCols(c, width) +=
            (squares.middleRows(row, height).transpose() * right).cast<double>();
      }
    }
  });
  Correlations out{Eigen::MatrixXd::Identity(L, L), counts};
  for (Eigen::Index i = 0; i < L; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      const double rows = counts(i, j);
      out.rows(i, j) = out.rows(j, i) = 0;
      if (rows < 3) continue;
      const double mean_i = sums(i, j) / rows, mean_j = sums(j, i) / rows;
      const double var_i = square_sums(i, j) / rows - mean_i * mean_i,
                   var_j = square_sums(j, i) / rows - mean_j * mean_j;
      if (var_i < 1e-6 || var_j < 1e-6) continue;
      const double r = (products(i, j) / rows - mean_i * mean_j) / std::sqrt(var_i * var_j);
      out.r(i, j) = out.r(j, i) = std::clamp(r, -1.0, 1.0);
      out.rows(i, j) = out.rows(j, i) = rows;
    }
  }
  return out;
}

LatentMatrices latent_matrices(const std::vector<Correlations>& classes,
                               const std::vector<std::vector<ScoreShape>>& shapes) {
  const auto L = static_cast<Eigen::Index>(shapes.front().size());
  Eigen::MatrixXd pooled = Eigen::MatrixXd::Zero(L, L), weight = pooled;
  for (const auto& part : classes) {
    if (!part.pooled) continue;
    pooled += part.rows.cwiseProduct(part.r);
    weight += part.rows;
  }
  pooled = pooled.cwiseQuotient(weight.cwiseMax(1)).eval();
  LatentMatrices out{std::vector<Eigen::MatrixXd>(classes.size(), Eigen::MatrixXd::Identity(L, L)),
                     std::vector<CorrelationRepair>(classes.size())};
  parallel_for(classes.size(), 1, [&](size_t first, size_t last) {
    for (size_t k = first; k < last; ++k) {
      Eigen::MatrixXd& matrix = out.correlation[k];
      for (Eigen::Index i = 0; i < L; ++i) {
        for (Eigen::Index j = 0; j < i; ++j) {
          const double rows = classes[k].rows(i, j);
          const double r = (rows * classes[k].r(i, j) + kPooledRows * pooled(i, j)) / (rows + kPooledRows);
          const ScoreShape &left = shapes[k][static_cast<size_t>(i)],
                           &right = shapes[k][static_cast<size_t>(j)];
          // Rare values tell little of the normals behind them (two flags that never meet would say -1): a
          // latent correlation shrinks by the information that is lost, 1/(v v') - 1 times the variance it
          // would have between continuous columns.
          const double lost = 1 / std::max(left.variance * right.variance, 1e-9) - 1;
          matrix(i, j) = matrix(j, i) = latent_correlation(left, right, r) * rows /
                                        std::max(rows + kPooledRows * std::max(lost, 0.0), 1.0);
        }
      }
      out.repairs[k] = repair_correlation(matrix);
    }
  });
  return out;
}

}  // namespace maeil::copula
