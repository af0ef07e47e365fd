#include "dag/dag_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "dag/trigger_rules.h"

namespace maeil::dag {
namespace {

bool has_failed(const TaskRecord& record, Instant at) {
  return record.state == TaskState::kFailed || record.state == TaskState::kUpstreamFailed ||
         is_dead(record, at);
}

// Whether every task of the DAG has ended, or will never begin because of how others ended.
bool is_over(const DagSpec& dag, std::map<std::string, TaskRecord> records) {
  count_as_done(dag, records);
  for (const auto& task : dag.tasks) {  // upstreams come first
    TaskRecord& record = records[task.id];
    if (is_finished(record.state)) continue;
    const auto ended = [&](const std::string& id) { return is_finished(records[id].state); };
    const bool upstreams_ended = std::ranges::all_of(task.upstream, ended);
    if (record.state != TaskState::kNone || !upstreams_ended || decide(dag, task, records) == Decision::kRun)
      return false;
    record.state = TaskState::kSkipped;
  }
  return true;
}

// Whether a task that a setting adds is none of this date's.
bool is_uncalled(const DagSpec& dag, const TaskSpec& task, const std::map<std::string, TaskRecord>& records) {
  return task.by_setting && std::ranges::any_of(task.upstream, [&](const std::string& id) {
           const auto record = records.find(id);
           if (record == records.end()) return false;
           if (find_task(dag, id)->by_setting) return record->second.state == TaskState::kSkipped;
           if (record->second.state != TaskState::kSuccess) return false;
           const auto announced = record->second.result.value("announces", store::Document::array());
           return std::ranges::find(announced, store::Document(task.id)) == announced.end();
         });
}

}  // namespace

void count_as_done(const DagSpec& dag, std::map<std::string, TaskRecord>& records) {
  const auto succeeded = [&](const std::string& id) {
    const auto record = records.find(id);
    return record != records.end() && record->second.state == TaskState::kSuccess;
  };
  for (const auto& task : dag.tasks) {  // upstreams come first
    if (records.contains(task.id) || task.kind == TaskKind::kBranch) continue;
    if (is_uncalled(dag, task, records)) {
      const bool follows_one = find_task(dag, task.upstream.front())->by_setting;
      records[task.id] = {.task_id = task.id,
                          .state = TaskState::kSkipped,
                          .skipped_by = follows_one ? task.upstream.front() : ""};
      continue;
    }
    const bool may_run = std::ranges::all_of(task.upstream, [&](const std::string& id) {
      return succeeded(id) && find_task(dag, id)->kind != TaskKind::kBranch;
    });
    if (!may_run || std::ranges::none_of(downstream_of(dag, task.id), succeeded)) continue;
    TaskRecord& record = records[task.id];
    record.task_id = task.id;
    record.state = TaskState::kSuccess;
  }
}

TaskState final_state(const DagSpec& dag, const std::map<std::string, TaskRecord>& records) {
  const bool good = std::ranges::all_of(dag.tasks, [&](const TaskSpec& task) {
    const auto found = records.find(task.id);
    return found != records.end() &&
           (found->second.state == TaskState::kSuccess || found->second.state == TaskState::kSkipped);
  });
  return good ? TaskState::kSuccess : TaskState::kFailed;
}

std::pair<TaskState, std::string> state_of_date(const DagSpec* dag,
                                                const std::map<std::string, TaskRecord>& records,
                                                Instant at) {
  const auto failed =
      std::ranges::find_if(records, [&](const auto& item) { return has_failed(item.second, at); });
  if (failed != records.end())
    return {TaskState::kFailed, fmt::format("{}: {}", failed->first, failed->second.message)};
  const bool all_ended = std::ranges::all_of(records, [](const auto& item) {
    return item.second.state == TaskState::kNone || is_finished(item.second.state);
  });
  return {all_ended && (!dag || is_over(*dag, records)) ? TaskState::kSuccess : TaskState::kRunning, ""};
}

}  // namespace maeil::dag
