// skip_evaluation of model_evaluation_pipeline: the day's third verdict.
#pragma once

#include "loop/day.h"

namespace maeil::loop {

// What the branch that chose skip_evaluation recorded (gate.h: not_judged_document), with `model_id` and
// `model_version` of the version that could not be judged. kNotFound when no branch of the date chose it.
Result<store::Document> what_was_not_judged(const dag::TaskContext& context, int max_attempts);

// Records the verdict `not_judged`, and an alert of severity WARNING unless labels are simply not due yet.
// Nothing was retrained after it, nothing will be deployed.
Result<dag::TaskOutcome> skip_evaluation(const Day& day, dag::TaskContext& context);

}  // namespace maeil::loop
