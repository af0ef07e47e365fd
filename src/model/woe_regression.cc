#include "model/woe_regression.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "base/threads.h"

namespace maeil::model {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr size_t kPieces = 32;        // of all rows; fixed, so that sums do not depend on the threads
constexpr size_t kRowsAtATime = 512;  // 512 rows of 50 columns stay in the second cache
// Where there is a least loss Newton's method is there in some ten steps; rows that are told apart move the
// coefficients on by about 1 a step for ever.
constexpr int kMostSteps = 25;

// Adds what `add(sums, X, first row)` makes of each few rows X (rows, 1 + K), which begin with a 1, in the
// rows' order within a piece and in the pieces' order.
template <class Sums, class Add>
Sums sum_over_rows(const BinnedColumns& columns, const Sums& zero, const Add& add) {
  std::vector<Sums> pieces(kPieces, zero);
  parallel_for(kPieces, 1, [&](size_t begin, size_t end) {
    MatrixXd x;
    for (size_t piece = begin; piece < end; ++piece) {
      const size_t last = (piece + 1) * columns.rows / kPieces;
      for (size_t first = piece * columns.rows / kPieces; first < last; first += kRowsAtATime) {
        const auto rows = static_cast<Index>(std::min(kRowsAtATime, last - first));
        x.resize(rows, static_cast<Index>(columns.columns.size()) + 1);
        x.col(0).setOnes();
        for (size_t k = 0; k < columns.columns.size(); ++k) {
          const uint8_t* bins = columns.columns[k].bins.data() + first;
          const double* values = columns.columns[k].values.data();
          double* to = x.col(static_cast<Index>(k) + 1).data();
          for (Index i = 0; i < rows; ++i) to[i] = values[bins[i]];
        }
        add(pieces[piece], x, first);
      }
    }
  });
  Sums out = zero;
  for (const auto& piece : pieces) out += piece;
  return out;
}

// At some coefficients w: the loss, its gradient and its hessian.
struct Curvature {
  double loss = 0;
  VectorXd gradient;
  MatrixXd hessian;
  Curvature& operator+=(const Curvature& more) {
    loss += more.loss, gradient += more.gradient, hessian += more.hessian;
    return *this;
  }
};

Curvature curvature_at(const VectorXd& w, const BinnedColumns& columns, std::span<const int32_t> labels,
                       double penalty) {
  const Index n = w.size();
  auto out = sum_over_rows(columns, Curvature{0, VectorXd::Zero(n), MatrixXd::Zero(n, n)},
                           [&](Curvature& to, const MatrixXd& x, size_t first) {
                             const VectorXd z = x * w;
                             VectorXd error(z.size()), weight(z.size());
                             for (Index i = 0; i < z.size(); ++i) {
                               const int32_t label = labels[first + static_cast<size_t>(i)];
                               const double p = 1 / (1 + std::exp(-z(i)));
                               error(i) = p - label;
                               weight(i) = p * (1 - p);
                               to.loss +=
                                   std::max(z(i), 0.0) + std::log1p(std::exp(-std::abs(z(i)))) - label * z(i);
                             }
                             to.gradient += x.transpose() * error;
                             to.hessian += x.transpose() * weight.asDiagonal() * x;
                           });
  const auto squares = w.tail(n - 1);
  out.loss += penalty / 2 * squares.squaredNorm();
  out.gradient.tail(n - 1) += penalty * squares;
  out.hessian.diagonal().tail(n - 1).array() += penalty;
  return out;
}

}  // namespace

MatrixXd correlations(const BinnedColumns& columns) {
  const auto K = static_cast<Index>(columns.columns.size());
  const auto n = static_cast<double>(columns.rows);
  const MatrixXd sums =
      sum_over_rows(columns, MatrixXd(MatrixXd::Zero(K + 1, K + 1)),
                    [](MatrixXd& to, const MatrixXd& x, size_t) { to += x.transpose() * x; });
  const VectorXd mean = sums.col(0).tail(K) / n;
  MatrixXd out = sums.bottomRightCorner(K, K) / n - mean * mean.transpose();
  VectorXd spread(K);
  for (Index k = 0; k < K; ++k)  // a column that is always the same has but rounding left
    spread(k) = out(k, k) > 1e-12 * sums(k + 1, k + 1) / n ? 1 / std::sqrt(out(k, k)) : 0;
  out = spread.asDiagonal() * out * spread.asDiagonal();
  return out;
}

std::optional<LogisticFit> fit_logistic(const BinnedColumns& columns, std::span<const int32_t> labels,
                                        double penalty) {
  const auto n = static_cast<double>(columns.rows);
  const double events = static_cast<double>(std::ranges::count(labels, 1));
  VectorXd w = VectorXd::Zero(static_cast<Index>(columns.columns.size()) + 1);
  w(0) = std::log(events / (n - events));
  Curvature at = curvature_at(w, columns, labels, penalty);
  for (int step = 0; step < kMostSteps; ++step) {
    const Eigen::LDLT<MatrixXd> solver(at.hessian);
    const VectorXd pivots = solver.vectorD();
    if (solver.info() != Eigen::Success || !(pivots.minCoeff() > 1e-12 * pivots.maxCoeff())) return {};
    const VectorXd direction = solver.solve(at.gradient);
    const double decrement = at.gradient.dot(direction);
    VectorXd next = w - direction;
    Curvature there = curvature_at(next, columns, labels, penalty);
    // Below 1e-8 a row the full step is safe, and what it gains is lost in the loss's rounding.
    for (double size = 0.5; decrement > 1e-8 * n && !(there.loss < at.loss) && size > 1e-6; size /= 2) {
      next = w - size * direction;
      there = curvature_at(next, columns, labels, penalty);
    }
    w = std::move(next);
    at = std::move(there);
    if (decrement > 1e-20 * n) continue;  // else far below what a coefficient's last digits change
    const Eigen::LDLT<MatrixXd> inverse(at.hessian);
    const VectorXd variances = inverse.solve(MatrixXd::Identity(w.size(), w.size())).diagonal();
    if (inverse.info() != Eigen::Success || !(variances.minCoeff() > 0)) return {};
    const double squares = w.tail(w.size() - 1).squaredNorm();
    return LogisticFit{w, variances.cwiseSqrt(), (at.loss - penalty / 2 * squares) / n};
  }
  return {};
}

}  // namespace maeil::model
