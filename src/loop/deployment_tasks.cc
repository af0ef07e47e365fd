// model_deployment_pipeline: wait_for_evaluation -> wait_for_model_ready -> deploy_model ->
// notify_deployment_complete.
#include <fmt/format.h>

#include <set>

#include "alerting/count_alerts.h"
#include "loop/alerts/notices.h"
#include "loop/challengers.h"
#include "loop/deployment.h"
#include "loop/pipelines.h"
#include "loop/tasks.h"
#include "loop/verdict_record.h"
#include "loop/wait_for_source.h"
#include "registry/status.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;
using dag::TaskState;

Result<TaskOutcome> wait_for_evaluation(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const bool nothing_comes, nothing_is_due(context));
  if (nothing_comes) return outcome(TaskState::kSkipped, "no file is due that day: nothing is deployed");
  MAEIL_ASSIGN(const TaskState verdict, state_of(context, kEvaluationDag, "send_evaluation_results"));
  MAEIL_ASSIGN(const TaskState alert, state_of(context, kEvaluationDag, "send_alert"));
  if (verdict == TaskState::kSuccess || alert == TaskState::kSuccess) {
    MAEIL_ASSIGN(const auto challenger, challenger_passed(context, day.settings));
    if (!challenger) return outcome(TaskState::kWaiting, "the challenger is not judged yet");
    if (*challenger) return outcome(TaskState::kSuccess, "a challenger is better than the champion");
  }
  if (verdict == TaskState::kSuccess) return outcome(TaskState::kSuccess, "the evaluation approved a model");
  if (alert == TaskState::kSuccess) {
    return outcome(TaskState::kSkipped,
                   "the evaluation ended in an alert: nothing is deployed, what was deployed stays");
  }
  MAEIL_ASSIGN(const TaskState not_judged, state_of(context, kEvaluationDag, "skip_evaluation"));
  if (not_judged == TaskState::kSuccess) {
    return outcome(TaskState::kSkipped,
                   "the evaluation could not judge the model: nothing is deployed, what was deployed stays");
  }
  if (verdict == TaskState::kSkipped) return outcome(TaskState::kSkipped, "the evaluation approved nothing");
  MAEIL_ASSIGN(const auto failure, failure_of(context, kEvaluationDag));
  if (failure)
    return outcome(state_after_failure(context),
                   fmt::format("the evaluation failed, nothing is deployed: {}", *failure));
  return outcome(TaskState::kWaiting, "the evaluation has no verdict yet");
}

// What the date would deploy.
struct Proposed {
  registry::ModelVersion version;
  bool is_new = false;                // an attempt or a challenger, and not the model in force
  std::set<std::string> may_replace;  // ids: the model in force of the date, and a challenger's champion
};

Result<Proposed> proposed_version(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto challenger, challenger_passed(context, day.settings));
  const bool by_challenger = challenger.value_or(false);
  MAEIL_ASSIGN(const auto from, result_of(context, kEvaluationDag,
                                          by_challenger ? "evaluate_challenger" : "send_evaluation_results"));
  MAEIL_ASSIGN(auto version, registry::find_version(context.store, from.value("model_id", "")));
  Proposed out{std::move(version), by_challenger || from.value("was_retrained", false), {}};
  MAEIL_ASSIGN(const auto loaded, result_of(context, kEvaluationDag, "load_latest_model"));
  out.may_replace = {loaded.value("model_id", "")};
  if (by_challenger) out.may_replace.insert(from.at("comparison").value("champion_id", ""));
  return out;
}

Result<TaskOutcome> wait_for_model_ready(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const auto proposed, proposed_version(day, context));
  const registry::ModelVersion& version = proposed.version;
  const auto bytes = context.store.blob_info(version.file_id);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    return outcome(TaskState::kWaiting,
                   fmt::format("the bytes of version {} are not in the store yet", version.version));
  }
  if (!bytes) return tl::make_unexpected(bytes.error());
  return outcome(TaskState::kSuccess,
                 fmt::format("version {} is {}, {} bytes", version.version, version.status, bytes->length));
}

// Why the version may not take the place of what is deployed without somebody's word; nullopt: it may, or it
// is deployed already.
Result<std::optional<std::string>> reason_to_leave(TaskContext& context, const Proposed& proposed) {
  using Reason = std::optional<std::string>;
  const registry::ModelVersion& version = proposed.version;
  if (version.status == "deployed") return Reason();
  MAEIL_ASSIGN(const auto newest, newest_verdict(context.store));
  if (newest && *newest > context.logical_date)
    return Reason(fmt::format("{} is newer and has its verdict", format_date(*newest)));
  if (version.status == "retired")
    return Reason("it was deployed before, and another version took its place since");
  // A pass without retraining approves the model in force; it changes nothing where another was deployed
  // meanwhile.
  MAEIL_ASSIGN(const auto in_force, registry::model_in_force(context.store));
  const bool is_deployed = in_force && in_force->status == "deployed";
  if (!proposed.is_new && is_deployed) {
    return Reason(
        fmt::format("version {} was deployed since this date's model was chosen", in_force->version));
  }
  // What this date deployed when it was done before is superseded, and may be replaced by what it makes now.
  if (proposed.is_new && is_deployed && !proposed.may_replace.contains(in_force->id) &&
      !in_force->document.contains("superseded_by")) {
    return Reason(
        fmt::format("version {} was deployed since, and it was not compared with that", in_force->version));
  }
  return Reason();
}

// What nobody approved is no failure: it is proposed, and a person's word deploys it.
Result<TaskOutcome> pending_approval(TaskContext& context, const registry::ModelVersion& version) {
  TaskOutcome out;
  out.state = TaskState::kSkipped;
  out.message = fmt::format(
      "version {} waits for a person's approval: `maeil model approve {} --comment \"...\"` deploys it; what "
      "was deployed stays",
      version.version, version.version);
  out.result = {{"model_id", version.id}, {"model_version", version.version}};
  MAEIL_ASSIGN(const auto deployed, registry::deployed_version(context.store));
  out.batch.puts.push_back(
      {kDeploymentEvents, stamped(context, kDeploymentEvents, pending_approval_event(version, deployed))});
  out.batch.puts.push_back(
      {alerting::kAlerts,
       stamped(context, alerting::kAlerts,
               {{"alert_type", "APPROVAL_PENDING"},
                {"severity", "WARNING"},
                {"model_id", version.id},
                {"model_version", version.version},
                {"message", fmt::format("Version {} passed and waits for a person's approval; what "
                                        "was deployed stays until then.",
                                        version.version)}})});
  return out;
}

// A notice that cannot be made is no reason not to deploy.
void add_notices(const Day& day, TaskContext& context, const registry::ModelVersion& version,
                 TaskOutcome& out) {
  auto told = notices(context.store, day.settings, "MODEL_DEPLOYED", version, context.logical_date,
                      fmt::format("Version {} is deployed, by the day {}.", version.version,
                                  format_date(context.logical_date)));
  if (!told) return context.log("warning: nobody is told: " + told.error().message);
  std::ranges::move(*told, std::back_inserter(out.batch.puts));
}

Result<TaskOutcome> deploy_model(const Day& day, TaskContext& context) {
  const Settings& settings = day.settings;
  MAEIL_ASSIGN(const auto proposed, proposed_version(day, context));
  const registry::ModelVersion& version = proposed.version;
  MAEIL_ASSIGN(const auto reason, reason_to_leave(context, proposed));
  if (reason && !day.deploy_older) {
    return outcome(
        TaskState::kSkipped,
        fmt::format(
            "version {} is not deployed: {} (`maeil redo {} --from deploy_model --deploy` deploys it)",
            version.version, *reason, format_date(context.logical_date)));
  }
  if (registry::waits_for_approval(version)) return pending_approval(context, version);
  TaskOutcome out;
  auto deployment = deploy(context.store, settings, version.id, {"deploy", context.run_id}, now());
  if (!deployment && deployment.error().code == ErrorCode::kConflict)
    return tl::make_unexpected(deployment.error());
  store::Document event;
  if (deployment) {
    event = std::move(deployment->event);
    out.batch = std::move(deployment->batch);
    out.lock = std::move(deployment->lock);
    out.message = fmt::format("version {} {}", version.version,
                              deployment->unchanged ? "stays deployed" : "is deployed");
    out.result = {
        {"model_id", version.id}, {"model_version", version.version}, {"unchanged", deployment->unchanged}};
    if (!deployment->unchanged) add_notices(day, context, version, out);
  } else {
    event = failed_deployment_event(version, deployment.error());
    out.state = TaskState::kFailed;
    out.message = deployment.error().message;
  }
  out.batch.puts.push_back({kDeploymentEvents, stamped(context, kDeploymentEvents, std::move(event))});
  return out;
}

Result<TaskOutcome> notify_deployment_complete(TaskContext& context) {
  MAEIL_ASSIGN(const auto deployed, result_of(context, kDeploymentDag, "deploy_model"));
  TaskOutcome out;
  out.message =
      fmt::format("Model {} {} for {}", deployed.value("model_version", ""),
                  deployed.value("unchanged", false) ? "passed and stays deployed" : "has been deployed",
                  format_date(context.logical_date));
  out.batch.puts.push_back({"notifications", stamped(context, "notifications",
                                                     {{"type", "deployment_complete"},
                                                      {"event_type", "deployment_complete"},
                                                      {"model_id", deployed.value("model_id", "")},
                                                      {"model_version", deployed.value("model_version", "")},
                                                      {"message", out.message}})});
  return out;
}

}  // namespace

void add_deployment_tasks(const Day& day, dag::TaskTable& table) {
  table[{kDeploymentDag, "wait_for_evaluation"}] = [&day](TaskContext& context) {
    return wait_for_evaluation(day, context);
  };
  table[{kDeploymentDag, "wait_for_model_ready"}] = [&day](TaskContext& context) {
    return wait_for_model_ready(day, context);
  };
  table[{kDeploymentDag, "deploy_model"}] = [&day](TaskContext& context) {
    return deploy_model(day, context);
  };
  table[{kDeploymentDag, "notify_deployment_complete"}] = notify_deployment_complete;
}

}  // namespace maeil::loop
