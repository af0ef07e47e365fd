#include "model/scorecard_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/threads.h"
#include "model/calibration.h"
#include "model/own_units.h"
#include "model/woe_regression.h"

namespace maeil::model {
namespace {

std::string name_of(const prep::Preparation& preparation, size_t f) {
  const size_t C = preparation.categorical.size();
  return f < C ? preparation.categorical[f].name : preparation.numeric[f - C].name;
}

template <class T>
std::vector<T> column_of(const std::vector<T>& values, size_t column, size_t columns, size_t rows) {
  std::vector<T> out(rows);
  for (size_t row = 0; row < rows; ++row) out[row] = values[row * columns + column];
  return out;
}

// A feature's bins, of the rows to learn from.
Binning binning_of(const prep::Preparation& preparation, const Samples& learn, size_t f,
                   const BinningRules& rules) {
  const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
  if (f < C)
    return bin_categories(column_of(learn.codes, f, C, learn.rows()), learn.labels,
                          static_cast<size_t>(preparation.categorical[f].cardinality), rules);
  const auto* column = preparation.spec ? preparation.spec->find(preparation.numeric[f - C].name) : nullptr;
  return bin_numbers(column_of(learn.numbers, f - C, N, learn.rows()), learn.labels,
                     column ? column->monotone : 0, rules);
}

// (B) the bin of each row.
std::vector<uint8_t> bins_of(const Binning& binning, const prep::Preparation& preparation,
                             const Samples& learn, size_t f) {
  const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
  std::vector<uint8_t> out(learn.rows());
  for (size_t row = 0; row < out.size(); ++row)
    out[row] = static_cast<uint8_t>(f < C ? bin_of(binning, learn.codes[row * C + f])
                                          : bin_of(binning, learn.numbers[row * N + f - C]));
  return out;
}

// The features that have a part so far, and the bins of their rows.
class Candidates {
 public:
  Candidates(ScorecardParts& parts, const prep::Preparation& preparation, const Samples& learn)
      : parts_(parts), bins_(parts.features.size()) {
    parallel_for(bins_.size(), 1, [&](size_t first, size_t last) {
      for (size_t f = first; f < last; ++f)
        if (parts.features[f].left_out.empty())
          bins_[f] = bins_of(parts.features[f].binning, preparation, learn, f);
    });
    columns_.rows = learn.rows();
    for (size_t f = 0; f < bins_.size(); ++f) add(f);
  }

  const std::vector<size_t>& features() const { return features_; }
  const BinnedColumns& columns() const { return columns_; }

  void leave_out(size_t f, std::string why) {
    parts_.features[f].left_out = std::move(why);
    parts_.features[f].coefficient = parts_.features[f].standard_error = 0;
    features_.clear();
    columns_.columns.clear();
    for (size_t g = 0; g < bins_.size(); ++g) add(g);
  }

 private:
  void add(size_t f) {
    if (!parts_.features[f].left_out.empty()) return;
    features_.push_back(f);
    BinnedColumns::Column column{bins_[f], {}};
    for (const auto& bin : parts_.features[f].binning.bins) column.values.push_back(bin.weight_of_evidence);
    columns_.columns.push_back(std::move(column));
  }
  ScorecardParts& parts_;
  std::vector<std::vector<uint8_t>> bins_;
  std::vector<size_t> features_;
  BinnedColumns columns_;
};

class ScorecardLearner final : public Learner {
 public:
  explicit ScorecardLearner(ScorecardRecipe recipe) : recipe_(recipe) {}
  std::string_view family() const override { return kScorecard; }
  int epochs() const override { return 1; }
  Result<double> prior_weight(const Samples&) const override { return 1; }
  prep::Preparation preparation_of(prep::Preparation fitted) const override {
    return in_own_units(std::move(fitted));
  }
  Json hyperparameters(const Predictor& made) const override {
    Json out = made.hyperparameters();
    out.update({{"least_information_value", recipe_.least_information_value},
                {"most_correlation", recipe_.most_correlation},
                {"most_bins", recipe_.binning.bins},
                {"least_share_of_a_bin", recipe_.binning.least_share}});
    return out;
  }
  Result<std::shared_ptr<const Predictor>> fit(const prep::Preparation& preparation, const Samples& learn,
                                               const Samples& judged, const Predictor* start,
                                               const FitCallbacks& callbacks) const override;

 private:
  ScorecardParts binned(const prep::Preparation& preparation, const Samples& learn) const;
  void leave_out_correlated(const prep::Preparation& preparation, const ScorecardParts& parts,
                            Candidates& candidates) const;
  ScorecardRecipe recipe_;
};

// The bins of all features; those that say too little are left out.
ScorecardParts ScorecardLearner::binned(const prep::Preparation& preparation, const Samples& learn) const {
  ScorecardParts out{.scale = recipe_.scale};
  out.features.resize(preparation.categorical.size() + preparation.numeric.size());
  parallel_for(out.features.size(), 1, [&](size_t first, size_t last) {
    for (size_t f = first; f < last; ++f) {
      auto& feature = out.features[f];
      feature.binning = binning_of(preparation, learn, f, recipe_.binning);
      const double value = information_value(feature.binning);
      if (!(value >= recipe_.least_information_value))
        feature.left_out =
            fmt::format("its information value is {:.4f}, below {}", value, recipe_.least_information_value);
    }
  });
  return out;
}

void ScorecardLearner::leave_out_correlated(const prep::Preparation& preparation, const ScorecardParts& parts,
                                            Candidates& candidates) const {
  const Eigen::MatrixXd correlation = correlations(candidates.columns());
  const std::vector<size_t> features = candidates.features();
  std::vector<size_t> order(features.size()), kept;
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](size_t k) { return information_value(parts.features[features[k]].binning); });
  for (const size_t k : order) {
    const auto alike = std::ranges::find_if(kept, [&](size_t other) {
      return std::abs(correlation(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(other))) >
             recipe_.most_correlation;
    });
    if (alike == kept.end()) {
      kept.push_back(k);
      continue;
    }
    candidates.leave_out(
        features[k],
        fmt::format("its WoE correlates by {:.2f} with that of {}, which has a greater information value",
                    correlation(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(*alike)),
                    name_of(preparation, features[*alike])));
  }
}

// Fits the coefficients until all are negative; returns the mean log loss. kFailed: none is.
Result<double> fit_coefficients(ScorecardParts& parts, Candidates& candidates,
                                std::span<const int32_t> labels) {
  for (;;) {
    if (candidates.features().empty())
      return fail(ErrorCode::kFailed,
                  "no feature says enough of the labels to have a part in a scorecard: train another family, "
                  "or learn from more rows or columns");
    parts.penalty = 0;
    auto fitted = fit_logistic(candidates.columns(), labels, 0);
    if (!fitted) {
      parts.penalty = 1;
      fitted = fit_logistic(candidates.columns(), labels, parts.penalty);
    }
    if (!fitted)
      return fail(ErrorCode::kFailed,
                  fmt::format("no least loss was found for {} features", candidates.features().size()));
    Eigen::Index worst = 0;
    const double greatest = fitted->coefficients.tail(fitted->coefficients.size() - 1).maxCoeff(&worst);
    if (greatest >= 0) {
      candidates.leave_out(
          candidates.features()[static_cast<size_t>(worst)],
          fmt::format("its coefficient beside the others was {:.4f}: a better bin would have had fewer "
                      "points",
                      greatest));
      continue;
    }
    parts.intercept = fitted->coefficients(0);
    parts.intercept_standard_error = fitted->standard_errors(0);
    for (size_t k = 0; k < candidates.features().size(); ++k) {
      auto& feature = parts.features[candidates.features()[k]];
      feature.coefficient = fitted->coefficients(static_cast<Eigen::Index>(k) + 1);
      feature.standard_error = fitted->standard_errors(static_cast<Eigen::Index>(k) + 1);
    }
    return fitted->loss;
  }
}

double mean_log_loss(std::span<const double> probabilities, std::span<const int32_t> labels) {
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = within_logarithms(probabilities[i]);
    sum -= std::log(labels[i] == 1 ? p : 1 - p);
  }
  return sum / static_cast<double>(labels.size());
}

Result<std::shared_ptr<const Predictor>> ScorecardLearner::fit(const prep::Preparation& preparation,
                                                               const Samples& learn, const Samples& judged,
                                                               const Predictor* start,
                                                               const FitCallbacks& callbacks) const {
  const auto* from = dynamic_cast<const Scorecard*>(start);
  if (start && !from)
    return bad_input(fmt::format("a scorecard cannot go on from a model of the family {}", start->family()));
  const auto progress = [&](size_t done) -> Status {
    return callbacks.progress ? callbacks.progress(0, 1, done, 2) : Status{};
  };
  const auto events = static_cast<uint64_t>(std::ranges::count(learn.labels, 1));
  const bool one_class = events == 0 || events == learn.rows();
  if (one_class && !from)
    return bad_input(fmt::format("the {} rows to learn from are all of one class", learn.rows()));
  MAEIL_TRY(progress(0));
  ScorecardParts parts = from ? from->parts() : binned(preparation, learn);
  std::optional<double> loss;
  if (!one_class) {
    Candidates candidates(parts, preparation, learn);
    if (!from) leave_out_correlated(preparation, parts, candidates);
    MAEIL_TRY(progress(1));
    parts.learnt = {learn.rows(), events};
    auto fitted = fit_coefficients(parts, candidates, learn.labels);
    if (fitted)
      loss = *fitted;
    else if (!from)
      return tl::make_unexpected(fitted.error());
    else
      parts = from->parts();  // these rows contradict all that it says
  }
  MAEIL_ASSIGN(auto made, Scorecard::make(std::move(parts), preparation));
  MAEIL_TRY(progress(2));
  if (callbacks.epoch) {
    MAEIL_ASSIGN(const auto p, made->probabilities((judged.rows() > 0 ? judged : learn).view().rows));
    if (!loss) {
      MAEIL_ASSIGN(const auto learnt, made->probabilities(learn.view().rows));
      loss = mean_log_loss(learnt, learn.labels);
    }
    MAEIL_TRY(callbacks.epoch({0, 1, *loss, p}));
  }
  return made;
}

}  // namespace

std::unique_ptr<Learner> scorecard_learner(ScorecardRecipe recipe) {
  return std::make_unique<ScorecardLearner>(recipe);
}

}  // namespace maeil::model
