// What alerts are about that no task says itself: a task that failed, a version that was rolled back.
#pragma once

#include "dag/execute.h"
#include "registry/versions.h"

namespace maeil::loop {

// Of a task that fails for good the alert TASK_FAILED (segment: the DAG and the task), or DEPLOYMENT_FAILED,
// is committed with its record; none where the task wrote an alert itself (a broken contract). `store` must
// outlive the options.
void tell_failures(const store::Store& store, dag::RunOptions& options);

// The alert MODEL_ROLLED_BACK, of the newest date that has a verdict: `version` took the place of `before`.
store::Batch::Put rollback_alert(store::Store& store, const registry::ModelVersion& version,
                                 const std::string& before, Instant when);

}  // namespace maeil::loop
