// One column of one class: its marginal or frequencies, and the scores by which it is correlated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "copula/choose_marginal.h"
#include "copula/latent.h"
#include "copula/model.h"

namespace maeil::copula {

// Decimal places (at most 14, as rdt) that all values need; nullopt when 14 do not suffice.
std::optional<int> learn_digits(const std::vector<double>& values);

// A number's marginal over the rows: atoms where values are shared, knots at mid-ranks between them.
struct NumberFit {
  Marginal marginal;
  std::vector<Atom> atoms;
  std::vector<double> values, scores;  // distinct values, ascending, and the score of each
};
// `sorted` in any order, finite; sorted here. With no values: a marginal that is always 0.
NumberFit fit_number(std::vector<double> sorted, MarginalChoice choice);
double score_of_value(const NumberFit& fit, double x);  // REQUIRES: x is one of fit.values

struct CategoryFit {
  CategoryOutput output;
  std::vector<Atom> atoms;
  std::vector<double> scores;  // by label
};
// The labels that occur, in `order`, with their exact frequencies.
CategoryFit fit_category(const std::vector<std::string>& labels, const std::vector<size_t>& counts, const std::vector<uint32_t>& order);

}  // namespace maeil::copula
