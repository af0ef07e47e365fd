// Rows drawn from a copula: the fast path of generate_data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "copula/model.h"
#include "table/table.h"

namespace maeil::copula {

// A model made ready to be drawn from: the Cholesky factor, a quantile table for each number, a lookup for
// each category. Immutable, so any number of threads may sample from one; it keeps nothing of the model it
// was made from.
class Sampler {
 public:
  // REQUIRES: check_model(model) holds, as it does for whatever a reader returned.
  explicit Sampler(const CopulaModel& model);
  ~Sampler();
  Sampler(Sampler&&) noexcept;

  // Rows first_row .. first_row + rows - 1 of the endless table that `seed` names, into `out`, whose memory
  // is used again when it came from this sampler. A row is a pure function of (model, seed, row number),
  // whichever range it is drawn in. Categories are text, with the model's labels as dictionary (some may not
  // occur). On the calling thread alone. REQUIRES: first_row + rows does not overflow.
  void draw(uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) const;

  // The same in chunks of at most 1024 rows, drawn on all threads and handed out in order; the sink copies
  // what it keeps. Its first error ends the drawing and is returned.
  Status sample(uint64_t first_row, uint64_t rows, uint64_t seed,
                const std::function<Status(const Table& chunk)>& sink) const;

 private:
  struct Prepared;
  std::unique_ptr<const Prepared> prepared_;
};

inline Status sample(const CopulaModel& model, uint64_t first_row, uint64_t rows, uint64_t seed,
                     const std::function<Status(const Table& chunk)>& sink) {
  return Sampler(model).sample(first_row, rows, seed, sink);
}

}  // namespace maeil::copula
