// From correlations of what is seen to correlations of the normals behind it, and the repair of a matrix that
// is none.
//
// A column's score is a function g of its normal score z: g(z) = z where values are continuous, and the mean
// of z over an interval of z that has one value (an atom, a category, a flag). With g = sum_k a_k h_k in
// normalised Hermite polynomials, two columns with latent correlation rho have covariance sum_{k>=1} a_k b_k
// rho^k (Mehler's formula), which ascends in rho, so that the rho behind a measured correlation is found by
// Newton steps in a bracket. For two flags this is the tetrachoric, for ordered categories the polychoric,
// for one of each kind the polyserial correlation by moments instead of likelihood (Cario and Nelson 1997,
// NORTA).
#pragma once

#include <Eigen/Core>
#include <vector>

namespace maeil::copula {

inline constexpr int kHermiteTerms = 40;

// An interval of z that has one value. Sorted, disjoint.
struct Atom {
  double from, to;  // may be infinite
};

// Hermite coefficients 1..kHermiteTerms of g, and its variance.
struct ScoreShape {
  std::vector<double> a;  // (kHermiteTerms), of h_1, h_2, ...
  double variance = 0;
};
ScoreShape score_shape(const std::vector<Atom>& atoms);

// The mean of z over (from, to).
double interval_mean(double from, double to);

// The latent correlation for which the two scores have correlation r; within +-0.999.
double latent_correlation(const ScoreShape& left, const ScoreShape& right, double r);

// The nearest correlation matrix in the Frobenius norm with eigenvalues of 1e-5 at least (Higham 2002,
// accelerated), to 1e-4 of the diagonal in 60 steps at most, then a rescaled diagonal.
struct CorrelationRepair {
  // change of an entry, and its root mean square over all pairs; 0: none was needed
  double largest = 0, rms = 0;
  Eigen::Index row = 0, column = 0;  // where it was largest
};
CorrelationRepair repair_correlation(Eigen::MatrixXd& matrix);

}  // namespace maeil::copula
