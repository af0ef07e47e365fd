#include "dag/dag_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace maeil::dag {

using store::Document;

std::string make_run_id(std::string_view run_type, Instant instant) {
  return fmt::format("{}__{}", run_type, format_instant(instant));
}

std::string dag_run_id(Days date, const std::string& dag_id, const std::string& run_id) {
  return store::task_object_id(store::make_task_key(date, dag_id, run_id), kDagRuns, 0);
}

Document task_run_document(Days date, const std::string& dag_id, const std::string& run_id, Instant start) {
  return {{"_id", store::id_value(dag_run_id(date, dag_id, run_id))},
          {"logical_date", format_date(date)},
          {"dag_id", dag_id},
          {"run_id", run_id},
          {"run_type", kTaskByTask},
          {"state", to_string(TaskState::kRunning)},
          {"start_date", store::date_value(start)},
          {"end_date", nullptr},
          {"duration", nullptr},
          {"message", ""},
          {"timestamp", store::date_value(now())}};
}

Document standing(const std::map<std::string, TaskRecord>& records, const std::string& run_id,
                  std::optional<Instant> start, TaskState state, const std::string& message) {
  std::vector<Instant> ends;
  for (const auto& [id, record] : records) {
    if (record.run_id == run_id && record.end) ends.push_back(*record.end);
  }
  Document end, duration;
  if (!ends.empty() && state != TaskState::kRunning) {
    const Instant last = std::ranges::max(ends);
    end = store::date_value(last);
    if (start) duration = std::chrono::duration<double>(last - *start).count();
  }
  return {{"state", to_string(state)},
          {"end_date", end},
          {"duration", duration},
          {"message", clean_text(message, 10000)}};
}

std::optional<Instant> start_of(const Document& run) {
  const auto instant = store::instant_of(run.value("start_date", Document()));
  return instant ? std::optional(*instant) : std::nullopt;
}

Status unless_conflict(Status done) {
  return !done && done.error().code == ErrorCode::kConflict ? Status{} : done;
}

const DagSpec* find_dag(const std::vector<DagSpec>& dags, std::string_view id) {
  const auto found = std::ranges::find(dags, id, &DagSpec::id);
  return found == dags.end() ? nullptr : &*found;
}

}  // namespace maeil::dag
