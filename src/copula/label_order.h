// An order for the labels of a text column, so that neighbours on its latent axis behave alike.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

#include "table/dates.h"
#include "table/table.h"

namespace maeil::copula {

// What labels are ordered by: every number's ranks and every text's labels (those of 32 or fewer) as flags,
// standardised. `sample`: row numbers. (sample rows x features).
Eigen::MatrixXf reference_features(const Table& all, const std::vector<uint32_t>& sample);

// An order for a text column's labels. Dates: by day, as `format` reads them where there is one; what is none
// comes first. Others: by the score that best explains the numbers of `reference` (rows of the sample, one
// column a feature, standardised): the first left singular vector of the labels' mean vectors, weighted by
// their frequency, as in correspondence analysis. Returns the labels' numbers in that order.
std::vector<uint32_t> order_labels(const Column& column, bool date,
                                   const std::optional<table::DateFormat>& format,
                                   const std::vector<uint32_t>& sample, const Eigen::MatrixXf& reference);

}  // namespace maeil::copula
