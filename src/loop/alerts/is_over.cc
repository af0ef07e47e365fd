#include "loop/alerts/is_over.h"

#include "alerting/count_alerts.h"
#include "dag/task_record.h"
#include "loop/deployment.h"
#include "loop/labels/overdue_labels.h"
#include "loop/pipelines.h"
#include "registry/status.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using alerting::AlertState;

// So many dates after the last one on which it was seen have a verdict that shows that it is over: for what
// the gate said of the model a verdict that says the contrary, else any, since a day that breaks its contract
// has none.
Result<bool> dates_show(store::Store& store, const AlertState& state, int64_t clear_days) {
  store::FindOptions later;
  later.filter = {{"logical_date", {{"$gt", format_date(state.last_seen)}}},
                  {"superseded_by", {{"$exists", false}}}};
  if (state.rule == "MODEL_PERFORMANCE_FAILURE")
    later.filter["status"] = {{"$in", {"approved", "retrained", "pending_approval"}}};
  if (state.rule == "MODEL_NOT_JUDGED") later.filter["status"] = {{"$ne", "not_judged"}};
  later.sort = {{"logical_date", 1}};
  later.limit = clear_days;
  later.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto events, store.find("evaluation_events", later));
  return static_cast<int64_t>(events.size()) >= clear_days;
}

// The date itself was done after all, or so many later dates were.
Result<bool> task_succeeds(store::Store& store, const std::string& dag, const std::string& task,
                           const AlertState& state, int64_t clear_days) {
  const auto succeeded = [](dag::TaskState of) {
    return of == dag::TaskState::kSuccess || of == dag::TaskState::kSkipped;
  };
  MAEIL_ASSIGN(const auto own, dag::task_state(store, state.last_seen, dag, task));
  if (succeeded(own)) return true;
  store::FindOptions later;
  later.filter = {{"logical_date", {{"$gt", format_date(state.last_seen)}}},
                  {"dag_id", dag},
                  {"task_id", task},
                  {"state", {{"$in", {"success", "skipped"}}}}};
  later.sort = {{"logical_date", 1}};
  later.limit = clear_days;
  later.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto records, store.find(dag::kTaskInstances, later));
  return static_cast<int64_t>(records.size()) >= clear_days;
}

// Of the version that the last alert names: approved, rejected, or another one was deployed since.
Result<bool> waits_no_more(store::Store& store, const AlertState& state) {
  store::FindOptions last;
  last.filter = {{"_id", store::id_value(state.alert_id)}};
  MAEIL_ASSIGN(const auto alert, store.find_one(alerting::kAlerts, last));
  const auto version = registry::find_version(store, store::text_field(alert, "model_id"));
  if (!version && version.error().code == ErrorCode::kNotFound) return true;
  if (!version) return tl::make_unexpected(version.error());
  if (!registry::waits_for_approval(*version)) return true;
  MAEIL_ASSIGN(const auto proposal, proposal_of(store, *version));
  return !proposal.deploys;
}

}  // namespace

Result<bool> is_over(store::Store& store, const Day& day, const std::optional<Days>& newest,
                     const AlertState& state) {
  const int64_t clear_days = day.settings.alert_clear_days;
  // Said once of a file, and taken back when its labels are taken in.
  if (state.rule == "LABELS_NOT_TAKEN_IN") return false;
  if (state.rule == "LABELS_OVERDUE") {
    if (!newest) return false;
    MAEIL_ASSIGN(const auto overdue, overdue_days(store, day, *newest));
    return overdue.empty();
  }
  if (state.rule == "APPROVAL_PENDING") return waits_no_more(store, state);
  if (state.rule == "DEPLOYMENT_FAILED")
    return task_succeeds(store, store.name_here(kDeploymentDag), "deploy_model", state, clear_days);
  if (state.rule == "TASK_FAILED") {
    const size_t dot = state.segment.find('.');
    if (dot == std::string::npos) return false;
    return task_succeeds(store, store.name_here(state.segment.substr(0, dot)), state.segment.substr(dot + 1),
                         state, clear_days);
  }
  return dates_show(store, state, clear_days);
}

}  // namespace maeil::loop
