#include "dag/trigger_rules.h"

#include <algorithm>
#include <set>

namespace maeil::dag {
namespace {

// Whether `to` is one of the chosen tasks or comes, however far, after one.
bool reached(const DagSpec& dag, const std::vector<std::string>& chosen, std::string_view to) {
  std::set<std::string_view> after(chosen.begin(), chosen.end());
  for (const auto& task : dag.tasks) {  // upstreams come first
    if (std::ranges::any_of(task.upstream,
                            [&](const std::string& upstream) { return after.contains(upstream); }))
      after.insert(task.id);
  }
  return after.contains(to);
}

}  // namespace

Decision decide(const DagSpec& dag, const TaskSpec& task, const std::map<std::string, TaskRecord>& records) {
  bool failed = false, skipped = false, succeeded = false, not_chosen = false;
  for (const auto& id : task.upstream) {
    const TaskRecord& upstream = records.at(id);
    failed |= upstream.state == TaskState::kFailed || upstream.state == TaskState::kUpstreamFailed;
    skipped |= upstream.state == TaskState::kSkipped;
    succeeded |= upstream.state == TaskState::kSuccess;
    const TaskSpec* spec = find_task(dag, id);
    not_chosen |= spec->kind == TaskKind::kBranch && upstream.state == TaskState::kSuccess &&
                  !reached(dag, upstream.next, task.id);
  }
  if (not_chosen) return Decision::kSkip;
  if (failed) return Decision::kUpstreamFailed;
  if (task.trigger_rule == TriggerRule::kAllSuccess) return skipped ? Decision::kSkip : Decision::kRun;
  return succeeded || task.upstream.empty() ? Decision::kRun : Decision::kSkip;
}

}  // namespace maeil::dag
