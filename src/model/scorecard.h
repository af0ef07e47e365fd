// Scorecards as a model family: weight-of-evidence bins of each feature (binning.h) and a logistic regression
// on them, shown as points. The form that lenders and their supervisors read.
//
//   log odds of label 1 = intercept + sum over features of coefficient * WoE of the row's bin.
//   Coefficients are negative: a bin with more goods lowers the log odds of a bad.
//
// Points: score = offset + factor * log odds of label 0, with factor = points_to_double / ln 2 and
// offset = base_points - factor * ln(base_odds), shared out over the features (Siddiqi, "Credit Risk
// Scorecards", 2006, chapter 6): a bin's points are
//   -(coefficient * WoE + intercept / n) * factor + offset / n, n the features that have a part.
// They are those of the model, before calibration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/binning.h"
#include "model/predictor.h"

namespace maeil::model {

struct ScorecardFeature {
  Binning binning;
  std::string left_out;                        // why it has no part in the score; "": it has one
  double coefficient = 0, standard_error = 0;  // 0 where it has none
};

struct PointScale {
  double base_points = 600, base_odds = 50, points_to_double = 20;
};

struct ScorecardParts {
  std::vector<ScorecardFeature> features;  // the categorical ones first, then the numeric ones
  double intercept = 0, intercept_standard_error = 0;
  double penalty = 0;  // on half the coefficients' squares; 0: none was needed
  ClassCounts learnt;  // rows that the coefficients were learnt from; bins are of those of the first fit
  PointScale scale;
};

class Scorecard final : public Predictor {
 public:
  // kBadInput says what is wrong and where: a number that is not finite, bounds that do not ascend, a bin
  // that there is not. REQUIRES: the features of `preparation`, of which the binnings are.
  static Result<std::shared_ptr<const Scorecard>> make(ScorecardParts parts,
                                                       const prep::Preparation& preparation);
  // `json`: scorecard.json of its file (docs/formats/maeil_file.md). kBadInput: make's; a key that is missing
  // or of another type, a category in two bins, counts that do not add up.
  static Result<std::shared_ptr<const Scorecard>> from_json(const std::string& json,
                                                            const prep::Preparation& preparation);
  const ScorecardParts& parts() const { return parts_; }
  // With the names of its features. REQUIRES: the preparation that it was made with.
  std::string to_json(const prep::Preparation& preparation) const;

  std::string_view family() const override { return kScorecard; }
  std::string_view file_extension() const override { return ".maeil"; }
  Json hyperparameters() const override;
  Status check_scores(const std::string&) const override { return {}; }
  Result<std::vector<double>> probabilities(const nn::Rows& rows) const override;
  Result<Contributions> contributions(const nn::Rows& rows) const override;
  Result<std::string> file_bytes(const FileFacts& facts) const override;

 private:
  Scorecard(ScorecardParts parts, size_t categorical);
  Status check_rows(const nn::Rows& rows) const;
  size_t bin_in_row(const nn::Rows& rows, size_t row, size_t feature) const;

  ScorecardParts parts_;
  size_t categorical_;
  struct Part {
    size_t feature;
    std::vector<double> adds;  // to the log odds, by bin
  };
  std::vector<Part> used_;
};

// The features that have a part.
size_t used_features(const ScorecardParts& parts);

// What a bin of a feature that has a part adds to the score, not rounded. Over a row's features they add up
// to its score.
double points_of(const ScorecardParts& parts, const ScorecardFeature& feature, const Bin& bin);

}  // namespace maeil::model
