// What the alerts of a dataset ring, counted and sent after its days and tasks (alerting/).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "alerting/channels.h"
#include "base/settings.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

alerting::Channels channels_of(const Settings& settings);

// Counts what the store's alerts say that is new, and sends what is due within `budget`. One line for people
// for each that rings, "alert MODEL_PERFORMANCE_FAILURE (CRITICAL) is open: ...", and for each that was sent.
// Never a task's failure: what goes wrong is a line that begins with "warning: ", and the next process that
// counts and sends does the rest.
std::vector<std::string> ring_alerts(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec,
                                     std::chrono::milliseconds budget = std::chrono::seconds(10));

// Sends what is due: a line each.
Result<std::vector<std::string>> send_alerts(store::Store& store, const Settings& settings,
                                             std::chrono::milliseconds budget);

}  // namespace maeil::loop
