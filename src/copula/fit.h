// Fitting a mixture of copulas to a table: a Gaussian copula for each class of a target
// (docs/synthesizer.md).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "copula/choose_marginal.h"
#include "copula/mixture.h"
#include "copula/rare_values.h"
#include "table/table.h"

namespace maeil::copula {

// From how many rows of a class the correlations are computed; marginals and frequencies count every row.
inline constexpr size_t kCorrelationRows = 50000;

// A class of fewer rows is merged: its rows are drawn as the whole file's are, under its label. A copula of
// fewer would say hardly more than the rows themselves, and its correlations have standard errors above
// 1/sqrt(20) = 0.22. A file of fewer rows is refused.
inline constexpr size_t kLeastClassRows = 20;

struct FitPlan {
  std::string target;                 // a text column; "": one class
  std::vector<NumberFormat> formats;  // (C) of numbers
  std::vector<DateColumn> dates;
  std::vector<table::Constraint> constraints;
  std::vector<MarginalChoice> marginals;  // (C) of numbers; shorter: empirical
  uint64_t seed = 0;                      // chooses the rows for the correlations
};

// How far the class's correlations moved to become positive definite, and the two columns (or "missing: C")
// between which it was most.
struct FitRepair {
  std::string label, left, right;
  double largest = 0, rms = 0;  // 0: none was needed
};

struct MergedClass {
  std::string label;  // "": missing
  size_t rows;
};

struct FittedMixture {
  Mixture mixture;
  std::vector<RareValues> rare;     // what was withheld of the columns
  std::vector<MergedClass> merged;  // classes of fewer than kLeastClassRows rows
  FitRepair repair;                 // of the class where it was largest
};

// Takes chunks with the same columns in any number, then fits; keeps all values (8 bytes a number, 4 a text
// and each different text once) but those of generated columns, of which it keeps whether they are missing.
// Not thread safe; works on all threads itself, and its result does not depend on their number.
class CopulaFitter {
 public:
  explicit CopulaFitter(std::vector<GeneratedColumn> generated = {}) : generated_(std::move(generated)) {}

  void add(const Table& chunk);
  // Once: what few rows bear is withheld from the values that were added (rare_values.h).
  // kBadInput: fewer than kLeastClassRows rows, other columns than before, more than kMaxClasses classes,
  // constraints that are none of these columns or look for a value that no row has.
  Result<FittedMixture> fit(const FitPlan& plan);

 private:
  uint32_t code_of(size_t column, const std::string& text);

  std::vector<GeneratedColumn> generated_;
  std::vector<bool> is_generated_;  // (C)
  // (C) hash of a text -> its place in the dictionary
  std::vector<boost::unordered_flat_map<uint64_t, uint32_t>> codes_;
  Table all_;
  bool mixed_ = false;
};

}  // namespace maeil::copula
