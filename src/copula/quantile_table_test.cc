// The table of a marginal's quantiles against Boost's.
#include "copula/quantile_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "copula/test_support.h"

namespace maeil::copula {
namespace {

// The table against Boost at points that are no nodes: its u may be off by kTableError, or x by kTableShare
// of the range.
void expect_within_stated_error(const Marginal& marginal, double min, double max) {
  const QuantileTable table(marginal, min, max);
  const auto exact = [&](double z) { return std::min(std::max(quantile_at(marginal, z), min), max); };
  const double share = kTableShare * (exact(kTableReach) - exact(-kTableReach));
  double before = -INFINITY;
  for (float z = -5.5f; z < 5.5f; z += 0.0371f) {
    const double x = table(z);
    EXPECT_GE(x, before) << z;
    before = x;
    // Twice the bound: it was checked at midpoints, and a cubic's error elsewhere may be a little larger.
    // in z; and the rounding of z itself
    const double shift = 2 * kTableError / (0.398942 * std::exp(-0.5 * z * z)) + 1e-9;
    EXPECT_GE(x, exact(z - shift) - 2 * share) << z;
    EXPECT_LE(x, exact(z + shift) + 2 * share) << z;
  }
}

TEST(QuantileTable, KeepsItsErrorForEveryFamily) {
  for (const Marginal& marginal :
       {Marginal(Beta{2, 5, -3, 10}), Marginal(Beta{0.0085, 0.0094, 0, 1.1}), Marginal(Gaussian{3, 2}),
        Marginal(Uniform{-1, 4}), Marginal(TruncatedGaussian{-0.5, 3, 1, 2}), Marginal(Gamma{0.4, 0, 3}),
        Marginal(StudentT{3, 0, 1})}) {
    SCOPED_TRACE(family_name(marginal));
    expect_within_stated_error(marginal, -INFINITY, INFINITY);
    expect_within_stated_error(marginal, quantile_at(marginal, -1), quantile_at(marginal, 2));
  }
}

TEST(QuantileTableGolden, KeepsItsErrorOnEverySeedColumn) {
  const auto model = fixture_model();
  for (const auto& column : model.columns) {
    const auto* number = std::get_if<NumberOutput>(&column.output);
    if (!number) continue;
    SCOPED_TRACE(column.name);
    expect_within_stated_error(column.marginal, *number->min, *number->max);
  }
}

}  // namespace
}  // namespace maeil::copula
