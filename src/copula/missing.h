// Which missing values follow from one another: a firm's fields in a person's row, and the reverse.
#pragma once

#include <vector>

#include "copula/mixture.h"
#include "table/table.h"

namespace maeil::copula {

// At most so many patterns become one latent; more would leave each with too few rows to be placed among the
// others.
inline constexpr size_t kMaxPatterns = 64;

// Columns that are missing in the same rows are one set. Sets whose flags exclude or imply one another belong
// together: `patterns` says row by row which of them are missing, by a label of one character a set, "1" for
// missing.
struct MissingPatterns {
  MissingSets sets;
  Column patterns;  // kText, never missing
};

// In the order of their first columns; columns that are never missing, and the target, belong to none. Two
// flags belong together where one of the four cells of their table has at most a hundredth of the rows it
// would have if they were independent, 20 were to be expected (a cell of independent flags is then empty once
// in 5e8), and their phi coefficient is 0.4 or more: weaker ties are left to the latent correlations, which
// keep each flag's own reasons better than one axis of many patterns. Bits are counted in words: S sets of n
// rows cost S^2 n / 64 steps.
std::vector<MissingPatterns> find_missing_patterns(const Table& all, size_t target);

}  // namespace maeil::copula
