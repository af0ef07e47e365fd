#include "loop/alerts/failed_tasks.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/count_alerts.h"
#include "dag/task_history.h"
#include "loop/deployment.h"
#include "loop/pipelines.h"
#include "loop/verdict_record.h"
#include "registry/audit.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

// With the version that its event names.
Document deployment_failed(const store::Batch& batch) {
  Document out = {
      {"alert_type", "DEPLOYMENT_FAILED"}, {"severity", "CRITICAL"}, {"model_id", ""}, {"model_version", ""}};
  const auto event = std::ranges::find(batch.puts, kDeploymentEvents, &store::Batch::Put::collection);
  if (event == batch.puts.end()) return out;
  for (const char* field : {"model_id", "model_version"}) out[field] = event->document.value(field, "");
  return out;
}

void add_alert(const std::string& prefix, const dag::TaskName& name, const dag::TaskRecord& record,
               store::Batch& batch) {
  if (std::ranges::find(batch.puts, alerting::kAlerts, &store::Batch::Put::collection) != batch.puts.end())
    return;
  const std::string dag = name.dag_id.starts_with(prefix) ? name.dag_id.substr(prefix.size()) : name.dag_id;
  const std::string task(dag::whole_task_id(name.task_id));
  const bool deploys = dag == kDeploymentDag && task == "deploy_model";
  Document alert = deploys ? deployment_failed(batch)
                           : Document{{"alert_type", "TASK_FAILED"},
                                      {"severity", "ERROR"},
                                      {"segment", fmt::format("{}.{}", dag, task)}};
  alert.update({{"_id", store::id_value(
                            store::task_object_id(name.key() + "/" + record.try_id, alerting::kAlerts, 0))},
                {"dag_id", name.dag_id},
                {"task_id", name.task_id},  // of a shard its own
                {"try_number", record.try_number},
                {"message", fmt::format("{}.{} failed: {}. The date is not finished.", dag, task,
                                        dag::clean_text(record.message, 4096))},
                {"timestamp", store::date_value(now())},
                {"run_id", record.run_id},
                {"logical_date", format_date(name.logical_date)},
                {"task_key", name.key(record.completions)}});
  batch.puts.push_back({alerting::kAlerts, std::move(alert)});
}

}  // namespace

void tell_failures(const store::Store& store, dag::RunOptions& options) {
  options.on_failure = [prefix = store.name_here("")](const dag::TaskName& name,
                                                      const dag::TaskRecord& record, store::Batch& batch) {
    add_alert(prefix, name, record, batch);
  };
}

store::Batch::Put rollback_alert(store::Store& store, const registry::ModelVersion& version,
                                 const std::string& before, Instant when) {
  const auto newest = newest_verdict(store);  // a damaged one holds up no rollback
  const Days today = std::chrono::floor<std::chrono::days>(when);
  return store::Batch::Put{
      alerting::kAlerts,
      {{"_id", store::id_value(store::new_object_id(when))},
       {"alert_type", "MODEL_ROLLED_BACK"},
       {"severity", "WARNING"},
       {"model_id", version.id},
       {"model_version", version.version},
       {"replaced_version", before},
       {"segment", before},  // the next rollback is another one
       {"message", fmt::format("{} rolled version {} back: version {} is deployed again.",
                               registry::acting_user(), before, version.version)},
       {"timestamp", store::date_value(when)},
       {"run_id", kByHand},
       {"logical_date", format_date(newest ? newest->value_or(today) : today)}}};
}

}  // namespace maeil::loop
