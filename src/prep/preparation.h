// A fitted preparation: the values with which raw rows become a model's inputs. It belongs to a model version
// and travels inside its file (metadata of the .pth), as JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/dataset_spec.h"

namespace maeil::prep {

using Json = nlohmann::ordered_json;

// A category is coded by its place in the vocabulary. `cardinality` is the embedding's number of rows; it may
// exceed the vocabulary when a foreign checkpoint's vocabulary is not known (then the vocabulary is empty and
// every value unknown).
struct CategoricalFeature {
  std::string name;
  std::string column;                   // of the dataset; for a null flag the column it watches
  bool null_flag = false;               // values "Notnull", "Null"
  std::vector<std::string> vocabulary;  // sorted by code point
  int cardinality = 0;
};

// x -> (x - median) / iqr, missing x -> most_frequent first (unless the preparation keeps what is missing).
struct NumericFeature {
  std::string name;  // a number column, or a day count of the dataset
  double most_frequent = 0, median = 0, iqr = 1;
  // smallest and largest value seen when fitting; what lies outside is counted, not changed
  double low = 0, high = 0;
};

struct Preparation {
  std::string dataset;
  std::vector<CategoricalFeature> categorical;  // in the model's order
  std::vector<NumericFeature> numeric;
  // What it was fitted by, as rows are read for it now (table/spec_difference.h); its `text` is as it was
  // then. null: the present one (of the built-in dataset, of a file that carries none).
  std::shared_ptr<const table::DatasetSpec> spec = nullptr;
  // A missing number stays missing (NaN) instead of becoming the most frequent one: for models that know what
  // missing means.
  bool keep_missing = false;
};

// The spec by which rows are read and made into its inputs.
inline const table::DatasetSpec& spec_of(const Preparation& preparation, const table::DatasetSpec& present) {
  return preparation.spec ? *preparation.spec : present;
}

constexpr int32_t kUnknownCode = -1;  // a value that the model never saw: the unknown bucket

Json to_json(const Preparation& preparation);
// From untrusted JSON: kBadInput names the key. Features must be of the spec that it carries, else of `spec`,
// the present one.
Result<Preparation> from_json(const Json& json, const table::DatasetSpec& spec);

// SHA-256 over the canonical JSON: equal exactly when two preparations give the same inputs.
std::string feature_spec_hash(const Preparation& preparation);

// The features that a model of this dataset has: text columns, then a flag for each nullable column; number
// columns, then day counts; all in the spec's order. Nothing is fitted yet.
Preparation unfitted(const table::DatasetSpec& spec);

}  // namespace maeil::prep
