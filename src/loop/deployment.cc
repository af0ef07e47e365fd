#include "loop/deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <thread>

#include "loop/alerts/failed_tasks.h"
#include "loop/alerts/notices.h"
#include "registry/audit.h"
#include "registry/deployed_link.h"
#include "registry/status.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

// A deployment takes a second, so one that is under way is waited for.
Result<std::unique_ptr<store::Lock>> lock_deployments(store::Store& store) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    auto lock =
        store.wait_for_lock(registry::kDeploymentLock, "a deployment", [](std::string_view) { return true; });
    if (lock || lock.error().code != ErrorCode::kConflict || std::chrono::steady_clock::now() > deadline)
      return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

Result<Deployment> deploy(store::Store& store, const Settings& settings, const std::string& version_id,
                          const DeploymentAct& act, Instant when) {
  Deployment out;
  MAEIL_ASSIGN(out.lock, lock_deployments(store));
  MAEIL_ASSIGN(const auto version, registry::find_version(store, version_id));
  MAEIL_ASSIGN(const auto versions, registry::deployed_versions(store));
  std::optional<registry::ModelVersion> replaced;
  for (const auto& other : versions) {
    if (other.id == version.id) continue;
    replaced = other;
    MAEIL_TRY(registry::change_status(other, {.status = "retired", .run_id = act.run_id}, when, out.batch));
  }
  store::Batch statuses = out.batch;
  MAEIL_TRY(registry::change_status(
      version, {.status = "deployed", .run_id = act.run_id, .replaced = replaced ? replaced->id : ""}, when,
      statuses));
  out.unchanged = version.status == "deployed";
  if (replaced) out.replaced = replaced->version;
  MAEIL_ASSIGN(const std::string path,
               registry::deploy_files(store, version, settings.model_save_path, when));
  out.event = {{"event_type", "model_deployed"},
               {"model_id", version.id},
               {"model_version", version.version},
               {"deployment_path", path},
               {"status", "deployed"},
               {"error", nullptr},
               {"unchanged", out.unchanged},
               {"replaced", replaced ? store::Document(replaced->id) : store::Document()}};
  const store::Document before = out.unchanged ? store::Document(version.version)
                                 : replaced    ? store::Document(replaced->version)
                                               : store::Document();
  if (!out.unchanged) out.batch = std::move(statuses);
  // That a run leaves what is deployed as it is, every day, is no act; a person's command is one.
  if (!out.unchanged || act.run_id == kByHand)
    out.batch.puts.push_back(
        registry::audit_entry({act.act, version.version, before, version.version, act.run_id}, when));
  return out;
}

bool was_not_tried(const Error& error) {
  return error.code == ErrorCode::kUsage || error.code == ErrorCode::kConflict;
}

store::Document pending_approval_event(const registry::ModelVersion& version,
                                       const std::optional<registry::ModelVersion>& deployed) {
  return {{"event_type", "pending_approval"},
          {"model_id", version.id},
          {"model_version", version.version},
          {"deployment_path", nullptr},
          {"status", "pending"},
          {"error", nullptr},
          {"unchanged", false},
          {"replaced", deployed ? store::Document(deployed->id) : store::Document()}};
}

Result<Proposal> proposal_of(store::Store& store, const registry::ModelVersion& version) {
  if (!registry::waits_for_approval(version) && version.status != "approved") return Proposal{};
  store::FindOptions proposals;
  proposals.filter = {
      {"event_type", "pending_approval"}, {"model_id", version.id}, {"superseded_by", {{"$exists", false}}}};
  proposals.sort = {{"logical_date", -1}};
  proposals.limit = 1;
  MAEIL_ASSIGN(const auto event, store.find_one(kDeploymentEvents, proposals));
  if (event.is_null()) return Proposal{};
  MAEIL_ASSIGN(const auto deployed, registry::deployed_version(store));
  const bool is_another = deployed && store::text_field(event, "replaced") != deployed->id;
  return Proposal{!is_another, is_another ? deployed->version : ""};
}

store::Document failed_deployment_event(const registry::ModelVersion& version, const Error& error) {
  return {{"event_type", "model_deployed"},
          {"model_id", version.id},
          {"model_version", version.version},
          {"deployment_path", nullptr},
          {"status", "failed"},
          {"error", error.message},
          {"unchanged", false}};
}

std::string follow_registry(store::Store& store, const Settings& settings) {
  auto done = registry::reconcile(store, settings.model_save_path);
  return done ? std::move(*done)
              : "warning: this machine does not follow the registry: " + done.error().message;
}

namespace {

// What people are told of a deployment by hand. The link is switched already: settings that are wrong are no
// reason to leave the registry behind.
void add_words(store::Store& store, const Settings& settings, const registry::ModelVersion& version,
               const DeploymentAct& act, const std::string& before, Instant when, store::Batch& batch) {
  if (act.act == "rollback") return batch.puts.push_back(rollback_alert(store, version, before, when));
  if (auto told =
          notices(store, settings, "MODEL_DEPLOYED", version, std::chrono::floor<std::chrono::days>(when),
                  fmt::format("Version {} is deployed, by {}.", version.version, registry::acting_user())))
    std::ranges::move(*told, std::back_inserter(batch.puts));
}

}  // namespace

Result<store::Document> deploy_now(store::Store& store, const Settings& settings,
                                   const registry::ModelVersion& version, const DeploymentAct& act) {
  const Instant when = now();
  auto deployment = deploy(store, settings, version.id, act, when);
  if (!deployment && was_not_tried(deployment.error())) return tl::make_unexpected(deployment.error());
  store::Document event =
      deployment ? deployment->event : failed_deployment_event(version, deployment.error());
  store::Batch batch = deployment ? std::move(deployment->batch) : store::Batch();
  event.update({{"_id", store::id_value(store::new_object_id(when))},
                {"timestamp", store::date_value(when)},
                {"run_id", act.run_id},
                {"logical_date", format_date(std::chrono::floor<std::chrono::days>(when))}});
  batch.puts.push_back({kDeploymentEvents, event});
  if (deployment && !deployment->unchanged)
    add_words(store, settings, version, act, deployment->replaced, when, batch);
  const Status done = registry::commit_change(store, batch, version);
  if (!done) {
    if (deployment) deployment->lock.reset();
    follow_registry(store, settings);  // the link was switched already
    return tl::make_unexpected(done.error());
  }
  if (!deployment) return tl::make_unexpected(deployment.error());
  return event;
}

}  // namespace maeil::loop
