#include "copula/latent.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>

#include "copula/marginal.h"

namespace maeil::copula {
namespace {

double normal_density(double z) {
  return std::isfinite(z) ? 0.39894228040143267794 * std::exp(-0.5 * z * z) : 0;
}

// Probability of (from, to), without loss in the upper tail.
double mass(double from, double to) {
  return from > 0 ? normal_cdf(-from) - normal_cdf(-to) : normal_cdf(to) - normal_cdf(from);
}

// h_k(z) phi(z) for k = 0..kHermiteTerms+1; 0 at infinity.
using Terms = std::array<double, kHermiteTerms + 2>;
Terms hermite_terms(double z) {
  Terms out{};
  const double density = normal_density(z);
  if (density == 0) return out;
  out[0] = density;
  out[1] = z * density;
  for (size_t k = 1; k + 1 < out.size(); ++k) {
    out[k + 1] =
        (z * out[k] - std::sqrt(static_cast<double>(k)) * out[k - 1]) / std::sqrt(static_cast<double>(k + 1));
  }
  return out;
}

}  // namespace

double interval_mean(double from, double to) {
  const double p = mass(from, to);
  return p > 0 ? (normal_density(from) - normal_density(to)) / p : 0;
}

ScoreShape score_shape(const std::vector<Atom>& atoms) {
  // g(z) = z + the sum over atoms of (mean - z) on the atom. With I_k the integral of h_k phi over an atom,
  // I_k = (h_{k-1} phi at from - at to) / sqrt(k), and z h_k = sqrt(k+1) h_{k+1} + sqrt(k) h_{k-1}.
  ScoreShape out;
  out.a.assign(kHermiteTerms, 0);
  out.a[0] = 1;
  out.variance = 1;
  for (const Atom& atom : atoms) {
    const Terms left = hermite_terms(atom.from), right = hermite_terms(atom.to);
    const double p = mass(atom.from, atom.to), mean = interval_mean(atom.from, atom.to);
    if (p <= 0) continue;
    std::array<double, kHermiteTerms + 2> integral{};
    integral[0] = p;
    for (size_t k = 1; k < integral.size(); ++k)
      integral[k] = (left[k - 1] - right[k - 1]) / std::sqrt(static_cast<double>(k));
    for (size_t k = 1; k <= kHermiteTerms; ++k) {
      const double z_part = std::sqrt(static_cast<double>(k + 1)) * integral[k + 1] +
                            std::sqrt(static_cast<double>(k)) * integral[k - 1];
      out.a[k - 1] += mean * integral[k] - z_part;
    }
    const double left_square = std::isfinite(atom.from) ? atom.from * normal_density(atom.from) : 0;
    const double right_square = std::isfinite(atom.to) ? atom.to * normal_density(atom.to) : 0;
    out.variance += p * mean * mean - (p + left_square - right_square);
  }
  out.variance = std::max(out.variance, 0.0);
  return out;
}

double latent_correlation(const ScoreShape& left, const ScoreShape& right, double r) {
  constexpr double kMost = 0.999;
  const double wanted = r * std::sqrt(left.variance * right.variance);
  if (!(std::abs(wanted) > 0)) return 0;
  std::array<double, kHermiteTerms> product;
  size_t terms = 0;
  for (size_t k = 0; k < kHermiteTerms; ++k) {
    product[k] = left.a[k] * right.a[k];
    if (std::abs(product[k]) > 1e-12) terms = k + 1;
  }
  // Newton's steps from r; one out of the bracket is replaced by its middle.
  double low = -kMost, high = kMost, rho = std::clamp(r, low, high);
  for (int step = 0; step < 30 && high - low > 1e-9; ++step) {
    double value = 0, slope = 0;
    for (size_t k = terms; k-- > 0;) {
      slope = slope * rho + (value + product[k]);
      value = (value + product[k]) * rho;
    }
    (value < wanted ? low : high) = rho;
    const double next = rho - (value - wanted) / slope;
    if (std::abs(next - rho) < 1e-10) return std::clamp(next, -kMost, kMost);
    rho = next > low && next < high ? next : 0.5 * (low + high);
  }
  return rho;
}

// The nearest matrix is P(A + diag(y)), P lifting eigenvalues, for the y that makes its diagonal ones. y <- y
// + 1 - diag P(A + diag(y)) converges to it (Higham's alternating projections, of which only the diagonals
// are kept); Anderson's mixing of the last steps gets there in a third of them (Higham and Strabic 2016).
CorrelationRepair repair_correlation(Eigen::MatrixXd& matrix) {
  constexpr double kLeast = 1e-5;
  constexpr Eigen::Index kPast = 6;
  const Eigen::Index size = matrix.rows();
  const Eigen::MatrixXd before = matrix;
  Eigen::VectorXd y = Eigen::VectorXd::Zero(size), past_y, past_off;
  Eigen::MatrixXd steps(size, kPast), changes(size, kPast);
  Eigen::Index past = 0;
  double best = 2;  // of the diagonal's errors so far
  for (int step = 0; step < 60; ++step) {
    matrix = before;
    matrix.diagonal() += y;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
    const Eigen::Index low = (eigen.eigenvalues().array() < kLeast).count();
    if (step == 0 && eigen.eigenvalues()(0) >= kLeast * 0.5) return {};
    const auto vectors = eigen.eigenvectors().leftCols(low);  // eigenvalues ascend
    matrix += vectors * (kLeast - eigen.eigenvalues().head(low).array()).matrix().asDiagonal() *
              vectors.transpose();
    const Eigen::VectorXd off = (1 - matrix.diagonal().array()).matrix();
    const double error = off.cwiseAbs().maxCoeff();
    if (error < 1e-4) break;
    if (step > 0) {
      steps.col(past % kPast) = y - past_y;
      changes.col(past % kPast) = off - past_off;
      ++past;
    }
    if (error > 2 * best) past = 0;  // the mixing went astray: a plain step converges
    best = std::min(best, error);
    past_y = y;
    past_off = off;
    y += off;
    if (const Eigen::Index kept = std::min(past, kPast); kept > 0) {
      const Eigen::VectorXd mix = changes.leftCols(kept).colPivHouseholderQr().solve(off);
      y -= (steps.leftCols(kept) + changes.leftCols(kept)) * mix;
    }
  }
  const Eigen::VectorXd scale = matrix.diagonal().cwiseSqrt().cwiseInverse();
  matrix = (scale.asDiagonal() * matrix * scale.asDiagonal()).eval();
  matrix = (0.5 * (matrix + matrix.transpose())).eval();
  matrix.diagonal().setOnes();
  CorrelationRepair out;
  const Eigen::MatrixXd change = matrix - before;
  out.largest = change.cwiseAbs().maxCoeff(&out.row, &out.column);
  out.rms = size < 2 ? 0 : change.norm() / std::sqrt(static_cast<double>(size * (size - 1)));
  return out;
}

}  // namespace maeil::copula
