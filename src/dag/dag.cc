#include "dag/dag.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace maeil::dag {
namespace {

constexpr std::array<std::string_view, 8> kStates = {"none",    "running", "waiting",         "success",
                                                     "skipped", "failed",  "upstream_failed", "up_for_retry"};

// Airflow's rule for ids: letters, digits, and - _ . within.
bool valid_id(std::string_view id) {
  return !id.empty() && id.size() <= 250 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

std::string_view to_string(TaskState state) { return kStates[static_cast<size_t>(state)]; }

TaskState task_state_from(std::string_view text) {
  const auto found = std::ranges::find(kStates, text);
  return found == kStates.end() ? TaskState::kNone : static_cast<TaskState>(found - kStates.begin());
}

std::string Shard::suffix() const { return is_part() ? fmt::format("[{}/{}]", index, count) : ""; }

bool is_finished(TaskState state) {
  return state == TaskState::kSuccess || state == TaskState::kSkipped || state == TaskState::kFailed ||
         state == TaskState::kUpstreamFailed;
}

const TaskSpec* find_task(const DagSpec& dag, std::string_view task) {
  const auto found = std::ranges::find(dag.tasks, task, &TaskSpec::id);
  return found == dag.tasks.end() ? nullptr : &*found;
}

std::vector<std::string> downstream_of(const DagSpec& dag, std::string_view task) {
  std::vector<std::string> found;
  for (const auto& other : dag.tasks) {
    if (std::ranges::find(other.upstream, task) != other.upstream.end()) found.push_back(other.id);
  }
  return found;
}

std::vector<std::string> followers_of(const DagSpec& dag, const std::vector<std::string>& tasks) {
  std::set<std::string_view> reached(tasks.begin(), tasks.end());
  std::vector<std::string> out;
  for (const auto& task : dag.tasks) {  // upstreams come first, so one pass finds everything
    if (reached.contains(task.id)) continue;
    if (!std::ranges::any_of(task.upstream, [&](const std::string& id) { return reached.contains(id); }))
      continue;
    reached.insert(task.id);
    out.push_back(task.id);
  }
  return out;
}

Status check_dag(const DagSpec& dag) {
  const auto wrong = [&](std::string_view task, std::string_view what) {
    return internal_error(fmt::format("DAG {}: task \"{}\": {}", dag.id, task, what));
  };
  if (!valid_id(dag.id)) return internal_error(fmt::format("\"{}\" is no id for a DAG", dag.id));
  if (dag.tasks.empty()) return internal_error(fmt::format("DAG {} has no tasks", dag.id));
  std::set<std::string_view> all, before, with_downstream;
  for (const auto& task : dag.tasks) {
    if (!valid_id(task.id)) return wrong(task.id, "this is no id for a task");
    if (!all.insert(task.id).second) return wrong(task.id, "the id occurs twice");
    if (task.retries < 0 || task.attempt < 0)
      return wrong(task.id, "retries and attempt may not be negative");
  }
  for (const auto& task : dag.tasks) {
    std::set<std::string_view> upstreams;
    for (const auto& upstream : task.upstream) {
      if (!all.contains(upstream))
        return wrong(task.id, fmt::format("there is no upstream \"{}\"", upstream));
      if (!before.contains(upstream))
        return wrong(task.id,
                     fmt::format("its upstream \"{}\" comes after it, or there is a cycle", upstream));
      if (!upstreams.insert(upstream).second)
        return wrong(task.id, fmt::format("its upstream \"{}\" is named twice", upstream));
      with_downstream.insert(upstream);
    }
    before.insert(task.id);
  }
  for (const auto& task : dag.tasks) {
    if (task.kind == TaskKind::kBranch && !with_downstream.contains(task.id))
      return wrong(task.id, "a branch needs downstream tasks");
  }
  return {};
}

}  // namespace maeil::dag
