// One column of one class: its marginal or frequencies, and the scores by which it is correlated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "copula/choose_marginal.h"
#include "copula/latent.h"
#include "copula/model.h"
#include "copula/rare_values.h"

namespace maeil::copula {

// Decimal places (at most 14, as rdt) that all values need; nullopt when 14 do not suffice.
std::optional<int> learn_digits(const std::vector<double>& values);

// A number's marginal over the rows: atoms where values are shared, knots between them. No knot is one row's
// value: it is the mean of kFewRows neighbouring rows or more, at their middle rank. At an open end the
// polygon goes on, from the outermost group's mean by half its distance from the next one's, but not across
// 0, 1, 100 or their negatives where no value does; fewer than kFewRows rows beyond the last atom are drawn
// as that atom, and fewer between two atoms by what joins them.
struct NumberFit {
  Marginal marginal;
  std::vector<Atom> atoms;
  std::vector<double> values, scores;  // distinct values, ascending, and the score of each
};
// `sorted` in any order, finite; sorted here. `shared`: ascending, values that kFewRows rows bear in the
// whole file, which are atoms also where fewer rows of this class bear them. With no values: a marginal that
// is always 0.
NumberFit fit_number(std::vector<double> sorted, MarginalChoice choice,
                     const std::vector<double>& shared = {});
double score_of_value(const NumberFit& fit, double x);  // REQUIRES: x is one of fit.values

// The smoothed ends of a column, as those of fit_number's polygon: a value that kFewRows rows share where
// that is outermost.
struct SmoothedEnds {
  double low, high;
};
SmoothedEnds smoothed_ends(const std::vector<double>& values);  // REQUIRES: one value that is no NaN at least

// Values that kFewRows rows bear, ascending; none where there are more than kMostSharedValues different ones.
inline constexpr size_t kMostSharedValues = 4096;
std::vector<double> shared_values(const std::vector<double>& values);

struct CategoryFit {
  CategoryOutput output;
  std::vector<Atom> atoms;
  std::vector<double> scores;  // by label
};
// The labels that occur, in `order`, with their exact frequencies.
CategoryFit fit_category(const std::vector<std::string>& labels, const std::vector<size_t>& counts,
                         const std::vector<uint32_t>& order);

}  // namespace maeil::copula
