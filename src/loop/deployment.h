// Deploying a version: the files, the statuses and the event, for the deployment DAG and for `maeil model deploy`.
#pragma once

#include <memory>
#include <string>

#include "loop/day.h"
#include "registry/versions.h"

namespace maeil::loop {

struct Deployment {
  store::Batch batch;      // statuses of the new and the replaced version; the caller adds the event
  store::Document event;   // a deployment_events document without _id and stamps
  bool unchanged = false;  // the registry had it as deployed already, whatever this machine's link showed
  std::shared_ptr<store::Lock> lock;  // one deployment at a time: keep it until `batch` is committed
};

// Switches this machine's link to a version and says what the registry must record. REQUIRES: status approved,
// deployed or retired (else kUsage). kConflict: another deployment is under way, after half a minute. On an error the link is as it was.
Result<Deployment> deploy(store::Store& store, const Settings& settings, const std::string& version_id, Instant when);

// A version that may not be deployed, or not now, was never tried; everything else that goes wrong is an event.
bool was_not_tried(const Error& error);

// The event of a deployment that failed.
store::Document failed_deployment_event(const registry::ModelVersion& version, const Error& error);

// Makes this machine's link follow the registry (registry::reconcile): what was done, "" when nothing had to be, or "warning: ..."
// with why it could not be. Never a task's failure: a deployment meets the same obstacle and records it.
std::string follow_registry(store::Store& store, const Settings& settings);

// Deploys by hand (`maeil model deploy`, `rollback`): files, statuses and event in one go.
Result<store::Document> deploy_now(store::Store& store, const Settings& settings, const registry::ModelVersion& version);

// The version that was deployed before the present one, from deployment_events. kNotFound when there is none.
Result<registry::ModelVersion> previous_deployment(store::Store& store);

}  // namespace maeil::loop
