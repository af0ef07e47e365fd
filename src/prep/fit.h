// Fitting a preparation on reference rows, as the Python stack's LabelEncoder, SimpleImputer(most_frequent)
// and RobustScaler do.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "prep/preparation.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

// Takes chunks in any number, then fits. Keeps every number (8 bytes a value) for exact quantiles, and each
// distinct text once, so that adding costs what the chunk holds, however much came before it. Not thread
// safe; works on all threads itself.
class Fitter {
 public:
  explicit Fitter(const table::DatasetSpec& spec);
  void add(const Table& chunk);
  // kBadInput without rows. A number that is missing in every row has most frequent value 0, median 0 and
  // IQR 1.
  Result<Preparation> fit();

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return hash64(text); }
  };
  const table::DatasetSpec& spec_;
  Preparation preparation_;
  std::vector<boost::unordered_flat_set<std::string, TextHash, std::equal_to<>>>
      texts_;                                // by categorical feature
  std::vector<std::vector<double>> values_;  // by numeric feature: NaN where missing
  size_t rows_ = 0;
};

// Most frequent value (smallest of ties) of the present values, then median and IQR with missing replaced by
// it. IQR 0 becomes 1. Sorts `values`. Quantiles are numpy's linear interpolation.
NumericFeature fit_numeric(std::string name, std::vector<double>& values);

}  // namespace maeil::prep
