// The one verdict of a date: a pass, an alert or "not judged", each written by a task of its own.
#pragma once

#include <optional>

#include "dag/dag.h"

namespace maeil::loop {

// What a task that gives the verdict hands back, with the date's verdict of before superseded by its event:
// the evaluation event and the alert, whichever task wrote them. Nothing else of them changes.
Result<dag::TaskOutcome> as_verdict(const dag::TaskContext& context, Result<dag::TaskOutcome> outcome);

// The newest date that ever had a verdict, also one that is being judged again; nullopt when none had.
Result<std::optional<Days>> newest_verdict(store::Store& store);

}  // namespace maeil::loop
