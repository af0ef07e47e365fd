// Boosted trees as XGBoost writes them (its JSON format, versions 1.6 to 1.7), read and scored by us.
//
// Format and meaning: XGBoost's doc/model.schema and src/predictor/cpu_predictor.cc. A number goes left when
// it is below the split's, a category goes right when it is in the split's set; what is missing, and a
// category that the model never saw, goes where the split learnt to send it. Leaves are added in float32 in
// the trees' order, as XGBoost adds them, so that margins are the same bits as its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "nn/rows.h"

namespace maeil::model {

inline constexpr int kMostExplainedDepth = 64;

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

  // Shapley values of each row's log odds (B, F), where a feature that is not known leaves a row to go both
  // ways in the proportion of the rows that the trees were learnt from (tree_contributions.cc): with
  // expected() they add up to the margin. Errors as margins; kBadInput: the trees do not say those
  // proportions, or are deeper than kMostExplainedDepth.
  Result<std::vector<double>> contributions(const nn::Rows& rows) const;
  double expected() const;  // log odds of a row of which nothing is known

  float base() const { return base_; }  // log odds before the first tree
  size_t trees() const { return trees_.size(); }
  size_t nodes() const { return nodes_.size(); }
  int depth() const { return depth_; }  // splits on the longest way to a leaf
  size_t features() const { return cardinalities_.size() + numeric_; }

 private:
  // The right child lies behind the left one. A leaf is its own left child and always goes there, so that
  // rows of one block take the same number of steps through a tree, without a branch that could be guessed
  // wrongly. `feature`: its number, kMissingLeft, and of a split by category kCategory and the logarithm to
  // base 2 of the number of words that `set` names in sets_; of other nodes those are one word that is not
  // used.
  struct Node {
    float split = 0;
    uint32_t feature = 0, left = 0, set = 0;
  };
  struct Tree {
    uint32_t root;
    int depth;  // steps to its deepest leaf
  };
  static constexpr uint32_t kCategory = 1u << 31, kMissingLeft = 1u << 30, kFeature = (1u << 25) - 1;
  static constexpr int kWordsShift = 25;  // five bits

  Status add_tree(const nlohmann::json& tree);
  bool fill(const int32_t* codes, const float* numbers, float* to) const;
  uint32_t step(uint32_t at, const float* row) const;
  // Fills the features of rows first to last, (last - first, F); lowers `wrong` to the first place that is.
  void fill_rows(const nn::Rows& rows, size_t first, size_t last, float* to,
                 std::atomic<size_t>& wrong) const;
  Status refuse(const nn::Rows& rows, size_t wrong) const;  // kBadInput for that place; SIZE_MAX: none is
  Status check_sizes(const nn::Rows& rows, size_t margins) const;
  double mean_of(uint32_t node) const;

  std::vector<int> cardinalities_;
  size_t numeric_ = 0;
  float base_ = 0;  // margin before the first tree
  int depth_ = 0;
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<float> values_;  // of nodes_ that are leaves
  std::vector<float> covers_;  // of nodes_: sum of the hessian of the rows that came by; 0: it was not told
  std::vector<uint32_t> sets_ = {0};
};

// Where a row goes from a node; without branches.
inline uint32_t TreeEnsemble::step(uint32_t at, const float* row) const {
  const Node node = nodes_[at];
  const float x = row[node.feature & kFeature];
  // What is no category is held within the set, and its bit is not used.
  const auto category = static_cast<uint32_t>(std::min(std::max(0.0f, x), static_cast<float>(1 << 24)));
  const uint32_t word = category >> 5 & ((1u << (node.feature >> kWordsShift & 31)) - 1);
  const uint32_t in_set = sets_[node.set + word] >> (category & 31) & 1, below = x < node.split;
  const uint32_t by_category = node.feature >> 31, missing_left = node.feature >> 30 & 1, missing = x != x;
  // Of two bits one or the other: as `?:` the compiler would make a branch of it.
  const auto choose = [](uint32_t no, uint32_t yes, uint32_t which) { return no ^ ((no ^ yes) & which); };
  const uint32_t left = choose(choose(below, in_set ^ 1, by_category), missing_left, missing);
  return node.left + (left ^ 1);
}

// P(label = 1) of log odds.
std::vector<double> probabilities_of(std::span<const float> margins);

// A category as trees compare it; one that the model never saw is missing.
inline float category_value(int32_t code) {
  return code < 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(code);
}

}  // namespace maeil::model
