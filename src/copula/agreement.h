// Do two tables come from one distribution? Every column and every pair of columns, with margins from
// sampling error.
//
// Used to hold our rows against SDV's, where two samples of SDV's tell how far apart equal distributions lie.
// n rows each. Every test of a family of m (99 columns, 4,851 pairs) is held to kAlpha / m, so a correct
// sampler fails one family with probability below kAlpha.
//   column of numbers  Kolmogorov-Smirnov D(ours, a) <= c, which is stricter than D(a, b) + c; c =
//                      sqrt(ln(2m/kAlpha)/2 * (1/n1 + 1/n2)), the two-sample critical value (the bound holds
//                      with ties, where it is conservative)
//   column of text     total variation TV(ours, a) <= TV(a, b) + t, t = sqrt(3 ln(m/kAlpha) / n): the
//                      difference of the two has mean 0 and changes by at most 1/n, 1/n and 2/n with a row of
//                      ours, b and a (McDiarmid); and chi-square
//   missing            |difference of shares| <= q * its standard error, q the normal quantile of 1 -
//     kAlpha/(2m); ours against a and b
//   pair of columns    codes of at most 7 classes: missing, and five quantile classes of a's numbers or a's
//                      five most frequent texts and the rest; total variation with the same t, and a
//                      chi-square test of ours against a and b
// Only for tests, as test_support.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "table/table.h"

namespace maeil::copula {

inline constexpr double kAlpha = 1e-3;

struct Agreement {
  std::vector<std::string> marginals, missing, pairs;  // one sentence per failed test
  double worst_ks = 0, worst_pair = 0;                 // largest D, largest TV(ours, a) - TV(a, b) of a pair
  double unlikely_pairs = 0;                           // share of pairs with p < 0.01 by chi-square
  bool holds() const { return marginals.empty() && missing.empty() && pairs.empty(); }
};

// REQUIRES: the same columns in the same order; a and b of one length.
Agreement compare(const Table& ours, const Table& a, const Table& b);
// The same without the pairs of columns, which take most of the time.
Agreement compare_columns(const Table& ours, const Table& a, const Table& b);

}  // namespace maeil::copula
