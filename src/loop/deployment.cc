#include "loop/deployment.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "registry/deployment.h"

namespace maeil::loop {
namespace {
constexpr const char* kEvents = "deployment_events";

// A deployment takes a second, so one that is under way is waited for.
Result<std::unique_ptr<store::Lock>> lock_deployments(store::Store& store) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    auto lock = store.wait_for_lock(registry::kDeploymentLock, "a deployment", [](std::string_view) { return true; });
    if (lock || lock.error().code != ErrorCode::kConflict || std::chrono::steady_clock::now() > deadline) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

Result<Deployment> deploy(store::Store& store, const Settings& settings, const std::string& version_id, Instant when) {
  Deployment out;
  MAEIL_ASSIGN(out.lock, lock_deployments(store));
  MAEIL_ASSIGN(const auto version, registry::find_version(store, version_id));
  MAEIL_ASSIGN(auto status, registry::change_status(version, "deployed", "", when));
  out.unchanged = version.status == "deployed";
  MAEIL_ASSIGN(const std::string path, registry::deploy_files(store, version, settings.model_save_path, when));
  out.event = {{"event_type", "model_deployed"},
               {"model_id", version.id},
               {"model_version", version.version},
               {"deployment_path", path},
               {"status", "deployed"},
               {"error", nullptr},
               {"unchanged", out.unchanged}};
  if (out.unchanged) return out;
  out.batch.sets.push_back(std::move(status));
  MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
  for (const auto& other : versions) {
    if (other.model_name != registry::kClassifier || other.status != "deployed" || other.id == version.id) continue;
    MAEIL_ASSIGN(auto retired, registry::change_status(other, "retired", "", when));
    out.batch.sets.push_back(std::move(retired));
  }
  return out;
}

bool was_not_tried(const Error& error) { return error.code == ErrorCode::kUsage || error.code == ErrorCode::kConflict; }

store::Document failed_deployment_event(const registry::ModelVersion& version, const Error& error) {
  return {{"event_type", "model_deployed"}, {"model_id", version.id},      {"model_version", version.version},
          {"deployment_path", nullptr},     {"status", "failed"},          {"error", error.message},
          {"unchanged", false}};
}

std::string follow_registry(store::Store& store, const Settings& settings) {
  auto done = registry::reconcile(store, settings.model_save_path);
  return done ? std::move(*done) : "warning: this machine does not follow the registry: " + done.error().message;
}

Result<store::Document> deploy_now(store::Store& store, const Settings& settings, const registry::ModelVersion& version) {
  const Instant when = now();
  auto deployment = deploy(store, settings, version.id, when);
  if (!deployment && was_not_tried(deployment.error())) return tl::make_unexpected(deployment.error());
  store::Document event = deployment ? deployment->event : failed_deployment_event(version, deployment.error());
  store::Batch batch = deployment ? std::move(deployment->batch) : store::Batch();
  event.update({{"_id", store::id_value(store::new_object_id(when))},
                {"timestamp", store::date_value(when)},
                {"run_id", "manual"},
                {"logical_date", format_date(std::chrono::floor<std::chrono::days>(when))}});
  batch.puts.push_back({kEvents, event});
  MAEIL_TRY(store.commit(batch));
  if (!deployment) return tl::make_unexpected(deployment.error());
  return event;
}

Result<registry::ModelVersion> previous_deployment(store::Store& store) {
  store::FindOptions options;
  options.filter = {{"status", "deployed"}, {"event_type", "model_deployed"}};
  options.sort = {{"timestamp", -1}};
  MAEIL_ASSIGN(const auto events, store.find(kEvents, options));
  MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
  std::string present;
  for (const auto& version : versions) {
    if (version.status == "deployed" && version.model_name == registry::kClassifier) present = version.id;
  }
  for (const auto& event : events) {
    const std::string id = event.value("model_id", "");
    if (id != present) return registry::find_version(store, id);
  }
  return not_found("no version was deployed before the present one");
}

}  // namespace maeil::loop
