// Fitting a mixture of copulas to a table: a Gaussian copula for each class of a target (docs/synthesizer.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "copula/choose_marginal.h"
#include "copula/mixture.h"
#include "table/dates.h"
#include "table/table.h"

namespace maeil::copula {

// From how many rows of a class the correlations are computed; marginals and frequencies count every row.
inline constexpr size_t kCorrelationRows = 50000;

// A text column whose values are dates, which have an order. Its format, where it has one, is the only one
// that is read.
struct DateColumn {
  std::string name;
  std::optional<table::DateFormat> format;
};

struct FitPlan {
  std::string target;                      // a text column; "": one class
  std::vector<NumberFormat> formats;       // (C) of numbers
  std::vector<DateColumn> dates;
  std::vector<table::Constraint> constraints;
  std::vector<MarginalChoice> marginals;   // (C) of numbers; shorter: empirical
  uint64_t seed = 0;                       // chooses the rows for the correlations
};

// How far the class's correlations moved to become positive definite, and the two columns (or "missing: C") between which it was most.
struct FitRepair {
  std::string label, left, right;
  double largest = 0, rms = 0;  // 0: none was needed
};

struct FittedMixture {
  Mixture mixture;
  FitRepair repair;  // of the class where it was largest
};

// Takes chunks with the same columns in any number, then fits; keeps all values (8 bytes a number, 4 a text). Not thread safe; works on
// all threads itself, and its result does not depend on their number.
class CopulaFitter {
 public:
  void add(const Table& chunk);
  // kBadInput: fewer than two rows, other columns than before, more than kMaxClasses classes, constraints that are none of these columns or
  // look for a value that no row has.
  Result<FittedMixture> fit(const FitPlan& plan);

 private:
  Table all_;
  bool mixed_ = false;
};

}  // namespace maeil::copula
