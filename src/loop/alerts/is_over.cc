#include "loop/alerts/is_over.h"

#include <set>

#include "alerting/count_alerts.h"
#include "dag/task_record.h"
#include "loop/deployment.h"
#include "loop/labels/overdue_labels.h"
#include "loop/pipelines.h"
#include "loop/training.h"
#include "registry/status.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using alerting::AlertState;
using store::Document;

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

struct FailedTask {
  std::string dag, task;  // `dag`: as pipelines.h names it
};

// Every date that failed was done after all.
Result<bool> dates_are_done(store::Store& store, const FailedTask& failed, const AlertState& state) {
  store::FindOptions counted;
  counted.filter = {{"alert_key", alerting::state_id(state)},
                    {"logical_date", {{"$gte", format_date(state.first_seen)}}},
                    {"superseded_by", {{"$exists", false}}}};
  counted.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto alerts, store.find(alerting::kAlerts, counted));
  std::set<Days> dates = {state.last_seen};  // its alert may be about to be counted
  for (const auto& alert : alerts) {
    if (const auto date = parse_date(store::text_field(alert, "logical_date"))) dates.insert(*date);
  }
  for (const Days date : dates) {
    MAEIL_ASSIGN(const auto at, dag::task_state(store, date, store.name_here(failed.dag), failed.task));
    if (at != dag::TaskState::kSuccess && at != dag::TaskState::kSkipped) return false;
  }
  return true;
}

// So many later dates did it. A date on which it was skipped shows nothing: neither did a day on which
// nothing is due. A task of the evaluation may not be asked for on a day that passes: a verdict shows that
// all that was asked for went well.
Result<bool> later_dates_did_it(store::Store& store, const FailedTask& failed, const AlertState& state,
                                int64_t clear_days) {
  if (failed.dag == kFirstDayDag) {  // it runs where there is no model, and never again
    MAEIL_ASSIGN(const auto in_force, registry::model_in_force(store));
    return in_force.has_value();
  }
  if (failed.dag == kEvaluationDag) return dates_show(store, state, clear_days);
  store::FindOptions later;
  later.filter = {{"logical_date", {{"$gt", format_date(state.last_seen)}}},
                  {"dag_id", store.name_here(failed.dag)},
                  {"task_id", failed.task},
                  {"state", "success"}};
  later.sort = {{"logical_date", 1}};
  later.limit = clear_days;
  later.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto records, store.find(dag::kTaskInstances, later));
  return static_cast<int64_t>(records.size()) >= clear_days;
}

Result<bool> task_succeeds(store::Store& store, const FailedTask& failed, const AlertState& state,
                           int64_t clear_days, bool opens) {
  MAEIL_ASSIGN(const bool done, dates_are_done(store, failed, state));
  if (done || opens) return done;
  return later_dates_did_it(store, failed, state, clear_days);
}

Result<Document> last_alert(store::Store& store, const AlertState& state) {
  store::FindOptions last;
  last.filter = {{"_id", store::id_value(state.alert_id)}};
  return store.find_one(alerting::kAlerts, last);
}

// By a date, or by a person's command.
Result<bool> is_deployed_after_all(store::Store& store, const AlertState& state, int64_t clear_days,
                                   bool opens) {
  MAEIL_ASSIGN(const auto alert, last_alert(store, state));
  MAEIL_ASSIGN(const auto deployed, registry::deployed_version(store));
  if (deployed && deployed->id == store::text_field(alert, "model_id")) return true;
  return task_succeeds(store, {kDeploymentDag, "deploy_model"}, state, clear_days, opens);
}

// Of the version that the last alert names: approved, rejected, or another one was deployed since.
Result<bool> waits_no_more(store::Store& store, const AlertState& state) {
  MAEIL_ASSIGN(const auto alert, last_alert(store, state));
  const auto version = registry::find_version(store, store::text_field(alert, "model_id"));
  if (!version && version.error().code == ErrorCode::kNotFound) return true;
  if (!version) return tl::make_unexpected(version.error());
  if (!registry::waits_for_approval(*version)) return true;
  MAEIL_ASSIGN(const auto proposal, proposal_of(store, *version));
  return !proposal.deploys;
}

}  // namespace

Result<bool> is_over(store::Store& store, const Day& day, const std::optional<Days>& newest,
                     const AlertState& state, bool opens) {
  const int64_t clear_days = day.settings.alert_clear_days;
  // Said once of a file, and taken back when its labels are taken in.
  if (state.rule == "LABELS_NOT_TAKEN_IN") return false;
  if (state.rule == "LABELS_OVERDUE") {
    if (!newest) return false;
    MAEIL_ASSIGN(const auto overdue, overdue_days(store, day, *newest));
    return overdue.empty();
  }
  if (state.rule == "APPROVAL_PENDING") return waits_no_more(store, state);
  if (state.rule == "DEPLOYMENT_FAILED") return is_deployed_after_all(store, state, clear_days, opens);
  if (state.rule == "TASK_FAILED") {
    const size_t dot = state.segment.find('.');
    if (dot == std::string::npos) return false;
    return task_succeeds(store, {state.segment.substr(0, dot), state.segment.substr(dot + 1)}, state,
                         clear_days, opens);
  }
  return dates_show(store, state, clear_days);
}

}  // namespace maeil::loop
