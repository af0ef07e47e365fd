// Deploying a version: the files, the statuses and the event, for the deployment DAG and for `maeil model
// deploy`.
#pragma once

#include <memory>
#include <string>

#include "loop/day.h"
#include "registry/versions.h"

namespace maeil::loop {

inline constexpr const char* kByHand = "manual";  // the run_id of what a person's command did

// Whose act a deployment is: "deploy" or "rollback", and of which run.
struct DeploymentAct {
  std::string act = "deploy";
  std::string run_id = kByHand;
};

struct Deployment {
  store::Batch batch;  // statuses of the new and the replaced version, and the entry of audit_log; the caller
                       // adds the event
  store::Document event;   // a deployment_events document without _id and stamps
  bool unchanged = false;  // the registry had it as deployed already, whatever this machine's link showed
  std::string replaced;    // the version whose place it takes; "": none was deployed
  std::shared_ptr<store::Lock> lock;  // one deployment at a time: keep it until `batch` is committed
};

// Switches this machine's link to a version and says what the registry must record. REQUIRES: a classifier of
// status approved, deployed or retired (else kUsage). kConflict: another deployment is under way, after half
// a minute. On an error the link is as it was. The batch is refused (kConflict) when one of the versions
// changes its status before it is committed; the link then follows the registry with the next reconcile. What
// deployment replaced what is kept with the version (registry/status.h), so that no clock has a say in it.
Result<Deployment> deploy(store::Store& store, const Settings& settings, const std::string& version_id,
                          const DeploymentAct& act, Instant when);

// A version that may not be deployed, or not now, was never tried; everything else that goes wrong is an
// event.
bool was_not_tried(const Error& error);

inline constexpr const char* kDeploymentEvents = "deployment_events";

// The event of one that waits for a person: event_type `pending_approval`, `replaced` the id of what is
// deployed, null where nothing is.
store::Document pending_approval_event(const registry::ModelVersion& version,
                                       const std::optional<registry::ModelVersion>& deployed);

// Whether a person's approval of the version is to deploy it: a date has proposed it, nobody has deployed it
// since, and what is deployed is what was deployed then. `instead`: the version that took that place since.
struct Proposal {
  bool deploys = false;
  std::string instead;
};
Result<Proposal> proposal_of(store::Store& store, const registry::ModelVersion& version);

// The event of a deployment that failed.
store::Document failed_deployment_event(const registry::ModelVersion& version, const Error& error);

// Makes this machine's link follow the registry (registry::reconcile): what was done, "" when nothing had to
// be, or "warning: ..." with why it could not be. Never a task's failure: a deployment meets the same
// obstacle and records it.
std::string follow_registry(store::Store& store, const Settings& settings);

// Deploys by hand (`maeil model deploy`, `rollback`): files, statuses, event, the entry of audit_log and what
// people are told of it (a rollback is an alert) in one go. kConflict, with what happened, when the version
// changed since `version` was read.
Result<store::Document> deploy_now(store::Store& store, const Settings& settings,
                                   const registry::ModelVersion& version, const DeploymentAct& act);

}  // namespace maeil::loop
