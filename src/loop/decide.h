// What a fitted model's probabilities mean, and where it decides: chosen on rows that were not learnt from,
// and kept with the version (model/decision.h).
#pragma once

#include <optional>

#include "loop/training.h"
#include "model/decision.h"

namespace maeil::loop {

// What DECISION_THRESHOLD asks for. nullopt: argmax of the probabilities as they are learnt, without a
// calibration, which is the built-in dataset's recipe and the Python project's.
std::optional<model::ThresholdRequest> threshold_request(const Settings& settings,
                                                         const table::DatasetSpec& spec);

struct Decided {
  std::optional<model::Decision> decision;
  // Of the finished model on the judged rows, as an entry of `epochs`; `threshold`, and where a calibrator
  // was chosen `cross_validated_log_loss`: of the one that was.
  store::Document metrics;
};

// Judged rows of a class below which no threshold is chosen on them: its F1 would be luck.
inline constexpr uint64_t kLeastToDecideBy = 10;

// Chooses a calibrator and a threshold for `predictor`, which `learner` fitted on `learn`, on the judged
// rows; `last_epoch` is what the fit said of it, `before` the decision of the version that it went on from.
// With too few judged rows of a class the threshold is that of `before` or, without one, the share of
// positives among the rows learnt from (who is riskier than the average), and that is said. `compared`:
// metrics have the cross-validated log loss, by which families are compared, also where no decision is asked
// for.
Result<Decided> decide(const Day& day, const model::Learner& learner, const Samples& learn,
                       const JudgedRows& judged, const model::Predictor& predictor,
                       const std::optional<model::Decision>& before, const store::Document& last_epoch,
                       bool compared, dag::TaskContext& context);

}  // namespace maeil::loop
