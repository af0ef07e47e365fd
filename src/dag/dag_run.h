// A document of dag_runs: one run of one DAG for one date, whoever drives it.
//
// dag_runs  _id from (logical date, DAG, run_id): logical_date, dag_id, run_id, run_type, state (running,
//           success, failed, cancelled), start_date, end_date, duration, message, program (as RunOptions),
//           timestamp; hostname and pid of a run of the built-in runner
// Who writes them: the built-in runner (runner_runs.h); tasks that somebody else drives one by one
// (task_runs.h), those of older maeils afterwards (old_task_runs.h). Who lists them: run_list.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/dag.h"
#include "dag/task_record.h"

namespace maeil::dag {

inline constexpr const char* kDagRuns = "dag_runs";
inline constexpr const char* kTaskByTask = "task";  // the run_type of a run that is driven task by task

// "manual__2026-11-23T00:15:00.000Z"
std::string make_run_id(std::string_view run_type, Instant instant);

std::string dag_run_id(Days logical_date, const std::string& dag_id, const std::string& run_id);

// The document of a run, driven task by task, that begins.
store::Document task_run_document(Days logical_date, const std::string& dag_id, const std::string& run_id,
                                  Instant start);

// The fields that say how such a run stands. Its own tasks say until when it was: one that ran again since
// belongs to its last run.
store::Document standing(const std::map<std::string, TaskRecord>& records, const std::string& run_id,
                         std::optional<Instant> start, TaskState state, const std::string& message);

// When the run began; nullopt when its document does not say it.
std::optional<Instant> start_of(const store::Document& run);

// What became of a commit that expects no document, or an older one: where somebody else was quicker, and
// wrote the same or knows better, all is well.
Status unless_conflict(Status done);

const DagSpec* find_dag(const std::vector<DagSpec>& dags, std::string_view id);  // null: there is none

}  // namespace maeil::dag
