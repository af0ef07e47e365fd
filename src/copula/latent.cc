#include "copula/latent.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>

#include "copula/marginal.h"

namespace maeil::copula {
namespace {

double normal_density(double z) { return std::isfinite(z) ? 0.39894228040143267794 * std::exp(-0.5 * z * z) : 0; }

// Probability of (from, to), without loss in the upper tail.
double mass(double from, double to) { return from > 0 ? normal_cdf(-from) - normal_cdf(-to) : normal_cdf(to) - normal_cdf(from); }

// h_k(z) phi(z) for k = 0..kHermiteTerms+1; 0 at infinity.
using Terms = std::array<double, kHermiteTerms + 2>;
Terms hermite_terms(double z) {
  Terms out{};
  const double density = normal_density(z);
  if (density == 0) return out;
  out[0] = density;
  out[1] = z * density;
  for (size_t k = 1; k + 1 < out.size(); ++k) {
    out[k + 1] = (z * out[k] - std::sqrt(static_cast<double>(k)) * out[k - 1]) / std::sqrt(static_cast<double>(k + 1));
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
    for (size_t k = 1; k < integral.size(); ++k) integral[k] = (left[k - 1] - right[k - 1]) / std::sqrt(static_cast<double>(k));
    for (size_t k = 1; k <= kHermiteTerms; ++k) {
      const double z_part = std::sqrt(static_cast<double>(k + 1)) * integral[k + 1] + std::sqrt(static_cast<double>(k)) * integral[k - 1];
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
  const auto covariance = [&](double rho) {
    double sum = 0;
    for (size_t k = kHermiteTerms; k-- > 0;) sum = (sum + left.a[k] * right.a[k]) * rho;
    return sum;
  };
  double low = -kMost, high = kMost;
  for (int step = 0; step < 30; ++step) {
    const double middle = 0.5 * (low + high);
    (covariance(middle) < wanted ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double repair_correlation(Eigen::MatrixXd& matrix) {
  constexpr double kLeast = 1e-5;
  const Eigen::MatrixXd before = matrix;
  Eigen::MatrixXd correction = Eigen::MatrixXd::Zero(matrix.rows(), matrix.cols());
  for (int step = 0; step < 50; ++step) {
    const Eigen::MatrixXd shifted = matrix - correction;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(shifted);
    if (eigen.eigenvalues().minCoeff() >= kLeast * 0.5) break;
    const Eigen::MatrixXd projected = eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(kLeast).asDiagonal() * eigen.eigenvectors().transpose();
    correction = projected - shifted;
    const double change = (projected.diagonal().array() - 1).abs().maxCoeff();
    matrix = projected;
    if (change < 1e-4) break;
    if (step + 1 < 50) matrix.diagonal().setOnes();
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
  if (eigen.eigenvalues().minCoeff() < kLeast * 0.5) {
    matrix = Eigen::MatrixXd(eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(kLeast).asDiagonal() * eigen.eigenvectors().transpose());
  }
  const Eigen::VectorXd scale = matrix.diagonal().cwiseSqrt().cwiseInverse();
  matrix = (scale.asDiagonal() * matrix * scale.asDiagonal()).eval();
  matrix = (0.5 * (matrix + matrix.transpose())).eval();
  matrix.diagonal().setOnes();
  return (matrix - before).cwiseAbs().maxCoeff();
}

}  // namespace maeil::copula
