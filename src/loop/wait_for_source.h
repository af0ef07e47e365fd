// wait_for_source: the sensor before generate_data. It is done when the day's file is there and no longer
// grows, or the day's query gives a row, at once where there is none to wait for, and skipped on a day on
// which none is due; the day's other tasks are skipped then.
#pragma once

#include <string>

#include "loop/day.h"

namespace maeil::loop {

inline constexpr const char* kWaitForSource = "wait_for_source";

// False: the date's rows are taken from a file (DAY_DATA), and by [calendar] there is none that day.
bool is_due(const Settings& settings, const table::DatasetSpec& spec, Days date);

// "no file is due on 2026-11-28, a Saturday ([calendar] of dataset.toml)"
std::string not_due_text(const table::DatasetSpec& spec, Days date);

Result<dag::TaskOutcome> wait_for_source(const Day& day, dag::TaskContext& context);

// For the sensors of later DAGs: whether the date's own was skipped, so that nothing will come.
Result<bool> nothing_is_due(const dag::TaskContext& context);

}  // namespace maeil::loop
