#include "dag/export.h"

#include <fmt/format.h>

namespace maeil::dag {
namespace {

using store::Document;

std::string_view kind_name(TaskKind kind) {
  switch (kind) {
    case TaskKind::kBranch:
      return "branch";
    case TaskKind::kSensor:
      return "sensor";
    default:
      return "action";
  }
}

std::string_view rule_name(TriggerRule rule) {
  return rule == TriggerRule::kAllSuccess ? "all_success" : "none_failed_min_one_success";
}

Document export_task(const TaskSpec& task) {
  const size_t dot = task.id.find('.');
  return {{"task_id", task.id},
          {"group", dot == std::string::npos ? Document() : Document(task.id.substr(0, dot))},
          {"kind", kind_name(task.kind)},
          {"upstream", task.upstream.empty() ? Document::array() : Document(task.upstream)},
          {"trigger_rule", rule_name(task.trigger_rule)},
          {"attempt", task.attempt},
          {"retries", task.retries},
          {"shardable", task.shardable},
          {"produces", task.produces.empty() ? Document::array() : Document(task.produces)},
          {"description", task.description}};
}

}  // namespace

Result<Document> export_dags(const std::vector<ExportedDataset>& datasets) {
  Document list = Document::array();
  for (const auto& [settings, dags] : datasets) {
    // Also refuses a time that is none.
    MAEIL_ASSIGN(const Instant at, next_daily(Instant{}, settings.schedule_time, "UTC"));
    const std::chrono::hh_mm_ss time{at - std::chrono::floor<std::chrono::days>(at)};
    for (const auto& dag : dags) {
      MAEIL_TRY(check_dag(dag));
      Document tasks = Document::array();
      for (const auto& task : dag.tasks) tasks.push_back(export_task(task));
      list.push_back({{"dag_id", dag.id},
                      {"dataset", settings.dataset},
                      {"description", dag.description},
                      {"schedule", fmt::format("{} {} * * *", time.minutes().count(), time.hours().count())},
                      {"time_zone", settings.time_zone},
                      {"poke_interval", settings.poke_interval},
                      {"sensor_timeout", settings.sensor_timeout},
                      {"shards", settings.shards},
                      {"tasks", std::move(tasks)}});
    }
  }
  return Document{{"format", "maeil-dags"}, {"version", kExportVersion}, {"dags", std::move(list)}};
}

}  // namespace maeil::dag
