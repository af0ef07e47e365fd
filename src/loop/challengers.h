// When a challenger is trained, of which families, and against whom it is judged (challenger_tasks.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/dag.h"
#include "loop/day.h"

namespace maeil::loop {

// One document for each challenger that was judged, with the numbers that decided: docs/models.md.
inline constexpr const char* kChallengerEvents = "challenger_events";

// CHALLENGERS as names (model/predictor.h).
std::vector<std::string> challenger_families(const Settings& settings);

struct ChallengerDue {
  bool is_due = false;
  std::string reason;  // why, or why not: a sentence's end
};
// Of a date with a verdict: when the model in force failed the gate, whatever the attempts did, and when
// RETRAIN_EVERY days have passed since the last challenger was judged, or, where none was, since the day of
// which the model in force is. By dates of the days, not by a clock.
Result<ChallengerDue> challenger_due(const dag::TaskContext& context, const Settings& settings);

// Who the challenger is judged against: what the date's verdict passed, else the model in force.
Result<registry::ModelVersion> champion_of_the_date(const dag::TaskContext& context);

}  // namespace maeil::loop
