// When a trouble is over, which its rule knows (docs/alerts.md has the table).
#pragma once

#include <optional>

#include "alerting/alert_state.h"
#include "loop/day.h"

namespace maeil::loop {

// By what was recorded since; `newest`: the newest date that has a verdict. Days are dates of the data.
// `opens`: it is about to ring. What later dates did says nothing then of a date whose own task has failed.
Result<bool> is_over(store::Store& store, const Day& day, const std::optional<Days>& newest,
                     const alerting::AlertState& state, bool opens);

}  // namespace maeil::loop
