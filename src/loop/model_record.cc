#include "loop/model_record.h"

#include <algorithm>

#include "alerting/count_alerts.h"
#include "loop/challengers.h"
#include "loop/deployment.h"
#include "loop/pipelines.h"
#include "registry/audit.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

// Those that count, oldest first.
Result<std::vector<Document>> documents_with(store::Store& store, const char* collection, Document filter,
                                             const char* order = "timestamp") {
  store::FindOptions find;
  find.filter = std::move(filter);
  find.filter["superseded_by"] = {{"$exists", false}};
  find.sort = {{order, 1}};
  return store.find(collection, find);
}

Result<Document> version_of(store::Store& store, const std::string& id) {
  if (!store::is_id(id)) return Document();
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(id)}};
  return store.find_one(registry::kCollection, by_id);
}

// "2026-07-03/dag/retrain_2.finetune_model#2" -> "2026-07-03/dag/retrain_2.prepare_retraining_data#2": the
// task that prepared an attempt's rows; "" of what is no attempt.
std::string preparing_task(const std::string& task_key) {
  constexpr std::string_view kLearns = ".finetune_model", kPrepares = ".prepare_retraining_data";
  const auto at = task_key.find(kLearns);
  if (at == std::string::npos) return "";
  std::string out = task_key;
  return out.replace(at, kLearns.size(), kPrepares);
}

Status read_training(store::Store& store, const std::string& id, pages::ModelRecord& out) {
  MAEIL_ASSIGN(auto events, documents_with(store, "training_events", {{"model_id", id}}));
  if (!events.empty()) out.training_event = std::move(events.back());
  const std::string task = preparing_task(text_field(out.version, "task_key"));
  if (task.empty()) return {};
  store::FindOptions by_task;
  by_task.filter = {{"task_key", task}};
  MAEIL_ASSIGN(out.training_data, store.find_one("training_data", by_task));
  Document dates = Document::array();
  const Document& days = field_at(out.training_data, "days");
  if (days.is_array())
    dates = days;
  else if (out.training_data.contains("logical_date"))
    dates.push_back(text_field(out.training_data, "logical_date"));
  MAEIL_ASSIGN(out.raw_data,
               documents_with(store, "raw_data", {{"logical_date", {{"$in", dates}}}}, "logical_date"));
  return {};
}

}  // namespace

Result<pages::ModelRecord> read_model_record(store::Store& store, const registry::ModelVersion& version) {
  pages::ModelRecord out;
  const std::string& id = version.id;
  out.version = version.document;
  MAEIL_ASSIGN(out.parent, version_of(store, version.finetuned_from.value_or("")));
  MAEIL_TRY(read_training(store, id, out));
  MAEIL_ASSIGN(out.judgements,
               documents_with(store, "performance_metrics", {{"model_id", id}}, "logical_date"));
  MAEIL_ASSIGN(out.verdicts, documents_with(store, "evaluation_events", {{"model_id", id}}, "logical_date"));
  MAEIL_ASSIGN(out.children, documents_with(store, registry::kCollection, {{"finetuned_from", id}}));
  MAEIL_ASSIGN(
      out.challengers,
      documents_with(store, kChallengerEvents,
                     {{"$or", {{{"model_id", id}}, {{"comparison.champion_id", id}}}}}, "logical_date"));
  MAEIL_ASSIGN(out.predictions, documents_with(store, "predictions", {{"model_id", id}}, "logical_date"));
  MAEIL_ASSIGN(out.deployment_events, documents_with(store, kDeploymentEvents, {{"model_id", id}}));
  MAEIL_ASSIGN(out.alerts,
               documents_with(store, alerting::kAlerts,
                              {{"$or", {{{"model_id", id}}, {{"original_model_id", id}}}}}, "logical_date"));
  MAEIL_ASSIGN(out.acts, documents_with(store, registry::kAuditLog, {{"what", version.version}}));
  store::FindOptions newest;
  newest.filter = {{"act", "settings"}};
  newest.sort = {{"timestamp", -1}};
  MAEIL_ASSIGN(out.settings, store.find_one(registry::kAuditLog, newest));
  return out;
}

}  // namespace maeil::loop
