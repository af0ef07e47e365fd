// What the alerts of a dataset ring, counted after its days and tasks (alerting/count_alerts.h).
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// Counts what the store's alerts say that is new. One line for people for each that rings: "alert
// MODEL_PERFORMANCE_FAILURE (CRITICAL) is open: ...". Never a task's failure: what goes wrong is a line that
// begins with "warning: ", and the next process that counts finds the rest.
std::vector<std::string> ring_alerts(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec);

}  // namespace maeil::loop
