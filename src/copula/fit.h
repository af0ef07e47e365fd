// Fitting one Gaussian copula to a table: beta marginals by moments within the observed bounds, exact category and null
// frequencies, learned digits and bounds, the correlation of normal scores.
#pragma once

#include <vector>

#include "base/error.h"
#include "copula/model.h"
#include "table/table.h"

namespace maeil::copula {

// Takes chunks with the same columns in any number, then fits; keeps all values (8 bytes each). Not thread safe; works on
// all threads itself.
class CopulaFitter {
 public:
  void add(const Table& chunk);
  // `seed` places categories within their intervals. kBadInput: no rows, or other columns than before.
  Result<CopulaModel> fit(uint64_t seed);

 private:
  Table all_;
  bool mixed_ = false;
};

}  // namespace maeil::copula
