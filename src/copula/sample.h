// Sampling rows from a Gaussian copula: independent of thread count, a slice of the whole equals the slice's own rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "copula/model.h"
#include "table/table.h"

namespace maeil::copula {

inline constexpr uint64_t kBlockRows = 1024;  // rows of one Philox block; also the most rows of a chunk

// F^-1(Phi(z)) as a table: cubic Hermite pieces between exact values, monotone (Fritsch and Carlson 1980). The error
// against Boost.Math stays under 1e-6 of the column's scale (copula_test.cc measures it for every real column).
class InverseTable {
 public:
  explicit InverseTable(const Marginal& marginal);
  double operator()(double z) const;

 private:
  static constexpr double kReach = 8.3;  // Phi(-8.3) = 5e-17: no 53-bit uniform reaches further
  static constexpr int kPieces = 1024;
  std::vector<double> value_, slope_;    // at the kPieces + 1 knots; slope per knot distance
};

// Everything that sampling needs, made once. Const methods are thread safe.
class Sampler {
 public:
  explicit Sampler(const CopulaModel& model);
  ~Sampler();
  Sampler(Sampler&&) noexcept;

  // Rows first_row .. first_row + rows - 1 of the sample that `seed` names, in order, in chunks of at most kBlockRows; made on
  // all threads a few blocks at a time. The sink's error ends the sampling and is returned.
  Status sample(uint64_t first_row, uint64_t rows, uint64_t seed, const std::function<Status(const Table&)>& sink) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace maeil::copula
