// Tasks that another process has claimed: what `maeil task`, an Airflow worker say, is executing or will try
// again.
//
// A claim is the record's alive_until, by the store's clock. The built-in runner's own tasks have none: its
// lock says who is alive. Two that begin at the same moment are kept apart by the record's try_id
// (execute.cc), not here.
#pragma once

#include <chrono>
#include <optional>

#include "dag/execute.h"
#include "dag/task_record.h"

namespace maeil::dag {

// How long a task that failed is left to a caller that said it will try again. Airflow's longest pause
// between two tries is 120 s with the factory's settings (docs/airflow.md); its scheduler and a worker's
// start come on top.
inline constexpr std::chrono::minutes kNextTryExpected{5};

// Whether the record is another process's at the store's time `at`: running, or up for retry, with
// alive_until ahead.
bool is_claimed(const TaskRecord& record, Instant at);

// kConflict, with who has claimed it and what to do.
tl::unexpected<Error> claimed_by(const TaskName& name, const store::Document& record);

// The task's record once nobody claims it; nullopt when there is none. A claim whose process died ends by
// itself and is waited for, with an event that says so. kConflict as soon as the process is seen to live (the
// claim was renewed, or a new try began): who runs the task goes on with its DAG, and two at a time would do
// work twice. kCancelled: a signal ended the waiting.
Result<std::optional<TaskRecord>> wait_until_free(store::Store& store, const TaskName& name,
                                                  const RunOptions& options);

}  // namespace maeil::dag
