// Gradient boosted trees as a model family: XGBoost learns them, our own code scores them (tree_ensemble.h).
//
// Chen, Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016; histograms, depth first by levels,
// logistic loss, no class weights, so that probabilities are those of the rows learnt from. Categories are
// categories (Fisher 1958's grouping, as LightGBM), missing values go where each split learnt to send them.
//
// The same rows give the same bytes at any number of threads: gradients are rounded to multiples of 2^-24, so
// that XGBoost's sums of them in double are exact and have no order (up to 2^29 rows). Without the rounding
// no difference was seen in what was tried; with it there can be none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/predictor.h"
#include "model/tree_ensemble.h"

namespace maeil::model {

class BoostedTrees final : public Predictor {
 public:
  // `json`: XGBoost's model, as its own loaders read it. kBadInput: TreeEnsemble::from_xgboost's; it is no
  // JSON. REQUIRES: the features of `preparation`.
  static Result<std::shared_ptr<const BoostedTrees>> from_json(std::string json,
                                                               const prep::Preparation& preparation);
  const std::string& json() const { return json_; }
  const TreeEnsemble& trees() const { return trees_; }

  std::string_view family() const override { return kBoostedTrees; }
  std::string_view file_extension() const override { return ".maeil"; }
  Json hyperparameters() const override;
  Status check_scores(const std::string&) const override { return {}; }
  Result<std::vector<double>> probabilities(const nn::Rows& rows) const override;
  Result<Contributions> contributions(const nn::Rows& rows) const override;
  Result<std::string> file_bytes(const FileFacts& facts) const override;

 private:
  BoostedTrees(std::string json, TreeEnsemble trees) : json_(std::move(json)), trees_(std::move(trees)) {}

  std::string json_;
  TreeEnsemble trees_;
};

struct BoostedTreesRecipe {
  int rounds = 500;   // trees at most
  int patience = 30;  // rounds without a better log loss on the judged rows, then the best is kept
  double learning_rate = 0.1;
  int depth = 3;
  double min_child_weight = 5;  // sum of the hessian in a leaf
  double l2 = 1;                // penalty on leaves
};
// kNotFound: XGBoost is not installed, with the package that has it and, behind that, what else can be done.
Status can_learn_trees(const char* otherwise = ", or train with --family tab_transformer");

// What it goes on from keeps its trees; new ones learn what those leave, and none is added where they make
// the judged rows' log loss no better, or where the rows to learn from are all of one class.
std::unique_ptr<Learner> boosted_trees_learner(BoostedTreesRecipe recipe);

}  // namespace maeil::model
