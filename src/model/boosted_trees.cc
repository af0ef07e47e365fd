#include "model/boosted_trees.h"

#include "format/json.h"
#include "model/maeil_file.h"

namespace maeil::model {

Result<std::shared_ptr<const BoostedTrees>> BoostedTrees::from_json(std::string json,
                                                                    const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const auto parsed, parse_json<nlohmann::json>(json, "the trees"));
  std::vector<int> cardinalities;
  for (const auto& feature : preparation.categorical) cardinalities.push_back(feature.cardinality);
  MAEIL_ASSIGN(auto trees, TreeEnsemble::from_xgboost(parsed, cardinalities, preparation.numeric.size()));
  return std::shared_ptr<const BoostedTrees>(new BoostedTrees(std::move(json), std::move(trees)));
}

Json BoostedTrees::hyperparameters() const {
  return {{"trees", trees_.trees()}, {"tree_nodes", trees_.nodes()}, {"tree_depth", trees_.depth()}};
}

Result<std::vector<double>> BoostedTrees::probabilities(const nn::Rows& rows) const {
  MAEIL_ASSIGN(const auto margins, trees_.margins(rows));
  return probabilities_of(margins);
}

Result<Contributions> BoostedTrees::contributions(const nn::Rows& rows) const {
  MAEIL_ASSIGN(auto values, trees_.contributions(rows));
  return Contributions{trees_.features(), std::move(values), trees_.expected()};
}

Result<std::string> BoostedTrees::file_bytes(const FileFacts& facts) const {
  if (!facts.preparation) return internal_error("boosted trees are not saved without their preparation");
  return maeil_file_bytes(family(), json_, facts);
}

}  // namespace maeil::model
