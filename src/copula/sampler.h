// Rows drawn from a mixture of copulas: generate_data's fast path. A class for each row, shared flags for
// missing values; the Cholesky factors, a quantile table for each number and a lookup for each category are
// made once.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "copula/mixture.h"
#include "table/table.h"

namespace maeil::copula {

// Immutable, so any number of threads may sample from one; it keeps nothing of the mixture it was made from.
class MixtureSampler {
 public:
  // kBadInput: constraints that name other columns. REQUIRES: check_mixture(mixture) holds.
  static Result<MixtureSampler> make(const Mixture& mixture);
  ~MixtureSampler();
  MixtureSampler(MixtureSampler&&) noexcept;

  // Rows first_row .. first_row + rows - 1 of the endless table that `seed` names, into `out`, whose memory
  // is used again when it came from this sampler. A row is a pure function of (mixture, seed, row number),
  // whichever range it is drawn in. On the calling thread alone.
  void draw(uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) const;

 private:
  struct Prepared;
  explicit MixtureSampler(std::unique_ptr<const Prepared> prepared);
  std::unique_ptr<const Prepared> prepared_;
};

}  // namespace maeil::copula
