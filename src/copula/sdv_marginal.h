// A column's distribution as the Python package copulas pickles it.
#pragma once

#include "copula/marginal.h"
#include "copula/sdv_value.h"

namespace maeil::copula {

// The families of marginal.h, GaussianKDE as a polygon of its quantiles, and a constant of any family as that
// one with scale 0. kBadInput, by the family's name, for others.
Result<Marginal> read_sdv_marginal(SdvValue univariate);

}  // namespace maeil::copula
