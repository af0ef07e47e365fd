// Boosted trees as XGBoost writes them (its JSON format, versions 1.6 to 1.7), read and scored by us.
//
// Format and meaning: XGBoost's doc/model.schema and src/predictor/cpu_predictor.cc. A number goes left when
// it is below the split's, a category goes right when it is in the split's set; what is missing, and a
// category that the model never saw, goes where the split learnt to send it. Leaves are added in float32 in
// the trees' order, as XGBoost adds them, so that margins are the same bits as its own.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "nn/rows.h"

namespace maeil::model {

// C categorical features come first, then N numeric ones.
class TreeEnsemble {
 public:
  // Reads XGBoost's model: a gbtree for two classes by logistic loss over these features, `cardinalities` (C)
  // the number of each category's values. kBadInput says what is wrong and where: another kind of model,
  // sizes that do not agree, a child that is none, a tree that is no tree, a number that is not finite, a
  // split by a feature or a category that there is not.
  static Result<TreeEnsemble> from_xgboost(const nlohmann::json& model, std::span<const int> cardinalities,
                                           size_t numeric);

  // log odds of label 1 of each row, (B), on all threads. Code -1 and a number that is NaN are missing.
  // kBadInput names the row and feature of a code outside its values or an infinite number.
  Result<std::vector<float>> margins(const nn::Rows& rows) const;
  // Adds the trees' leaves, without the base, to (B) margins, one tree after the other. Errors: the same;
  // then nothing of `margins` may be used.
  Status add_leaves(const nn::Rows& rows, std::span<float> margins) const;

  float base() const { return base_; }  // log odds before the first tree
  size_t trees() const { return roots_.size(); }
  size_t nodes() const { return nodes_.size(); }
  int depth() const { return depth_; }  // splits on the longest way to a leaf
  size_t features() const { return cardinalities_.size() + numeric_; }

 private:
  // A leaf has the feature kLeaf and its value in `split`. A split by category has kCategory in `feature` and
  // in `set` the place in sets_ of its number of words, which follow.
  struct Node {
    union {
      float split;
      uint32_t set;
    };
    uint32_t feature;
    uint32_t left, right;
  };
  static constexpr uint32_t kLeaf = UINT32_MAX, kCategory = 1u << 31, kMissingLeft = 1u << 30;

  Status add_tree(const nlohmann::json& tree, size_t index);
  float leaf(uint32_t root, const float* row) const;

  std::vector<int> cardinalities_;
  size_t numeric_ = 0;
  float base_ = 0;  // margin before the first tree
  int depth_ = 0;
  std::vector<uint32_t> roots_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> sets_;
};

}  // namespace maeil::model
