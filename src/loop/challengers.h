// When a challenger is trained, of which families, and against whom it is judged (challenger_tasks.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/dag.h"
#include "loop/day.h"

namespace maeil::loop {

// The two tasks behind a verdict.
inline constexpr const char* kTrainChallenger = "train_challenger";
inline constexpr const char* kEvaluateChallenger = "evaluate_challenger";

// One document for each challenger that was judged, with the numbers that decided: docs/models.md.
inline constexpr const char* kChallengerEvents = "challenger_events";

// CHALLENGERS as names (model/predictor.h).
std::vector<std::string> challenger_families(const Settings& settings);

struct ChallengerDue {
  bool is_due = false;
  std::string reason;  // why, or why not: a sentence's end
};
// Of a date whose verdict announced a challenger: when the model in force failed the gate, whatever the
// attempts did, and when RETRAIN_EVERY days have passed since the last challenger was judged, or, where none
// was, since the first date that the model in force was judged on. By dates of the days, never by a clock.
Result<ChallengerDue> challenger_due(const dag::TaskContext& context, const Settings& settings);

// Whether the date's challenger is to take the champion's place; nullopt: that is not known yet. False where
// the verdict announced none, and where it could not be trained or judged: what the verdict passed counts
// then. By what the date recorded; one that was announced and never begun comes no more where CHALLENGERS was
// taken away since.
Result<std::optional<bool>> challenger_passed(const dag::TaskContext& context, const Settings& settings);

// Who the challenger is judged against: what the date's verdict passed, else the model in force.
Result<registry::ModelVersion> champion_of_the_date(const dag::TaskContext& context);

}  // namespace maeil::loop
