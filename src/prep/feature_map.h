// The feature map: which feature each embedding of a checkpoint without preparation belongs to, and the
// vocabulary of each, where it is known (docs/formats/feature_map.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "prep/preparation.h"
#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::prep {

struct MappedFeature {
  std::string name;
  int cardinality = 0;
  std::optional<std::vector<std::string>> vocabulary;  // absent: not known
};

struct FeatureMap {
  std::vector<MappedFeature> categorical;  // in the order of the embeddings
  std::vector<std::string> numeric;
};

// kBadInput, naming file and feature: unknown keys, a vocabulary that is unsorted, has duplicates or another
// size than its cardinality, a feature twice.
Result<FeatureMap> parse_feature_map(std::string_view json, const std::string& file_name);

// What binding found, for people: features whose values are all unknown to the model, with their cardinality.
struct BindReport {
  struct Unbound {
    std::string feature;
    int cardinality;
  };
  std::vector<Unbound> unbound;
  uint64_t reference_rows = 0;
};

// A preparation for a checkpoint with these embeddings (`cardinalities` by position, `numeric` of them):
// vocabularies from the map, imputer and scaler values fitted on the reference rows, which `for_each_chunk`
// hands out. kBadInput when map and checkpoint disagree (says where), or a feature is not of the dataset.
Result<Preparation> bind_features(
    const FeatureMap& map, const std::vector<int>& cardinalities, int numeric, const table::DatasetSpec& spec,
    const std::function<Status(const std::function<Status(const Table&)>&)>& for_each_chunk,
    BindReport& report);

}  // namespace maeil::prep
