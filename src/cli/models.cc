// `maeil model list | show | export | approve | deploy | rollback`: the registry, read and changed by hand.
// history is in model_history.cc.
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/alerts/notices.h"
#include "loop/alerts/ring_alerts.h"
#include "loop/deployment.h"
#include "registry/audit.h"
#include "registry/deployed_link.h"
#include "registry/status.h"
#include "registry/versions.h"
#include "store/field_rules.h"

namespace maeil::cli {
namespace {

std::string metric(const store::Document& metrics, const char* name) {
  const auto found = metrics.find(name);
  if (found == metrics.end()) return "-";
  return found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "undefined";
}

// What was done may end an alert, or be one.
void ring(Context& context, store::Store& store) {
  const auto spec = context.spec();
  if (!spec) return note("warning: no alert was sent: " + spec.error().message, LogLevel::kWarning);
  for (const auto& line : loop::ring_alerts(store, context.settings, *spec)) note_task_line(line);
  if (const auto told = alerting::noticed(loop::channels_of(context.settings)); !told)
    note_task_line("warning: nobody is told: " + told.error().message);
}

Result<int> deploy(Context& context, store::Store& store, const registry::ModelVersion& version,
                   const char* act) {
  MAEIL_ASSIGN(const auto event, loop::deploy_now(store, context.settings, version, {act, loop::kByHand}));
  ring(context, store);
  if (context.json)
    print_json(event);
  else
    print_line(fmt::format("version {} {}: {}", version.version,
                           event.value("unchanged", false) ? "was deployed already" : "is deployed",
                           event.value("deployment_path", "")));
  return 0;
}

// The version's own file name; one that is no plain name (the Python project kept whole paths) is made anew.
std::string export_name(const registry::ModelVersion& version) {
  const std::string own = std::filesystem::path(version.path).filename().string();
  return store::is_file_name(own) ? own : fmt::format("model_{}.{}", version.version, version.format);
}

}  // namespace

Result<int> model_list(Context& context) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
  MAEIL_ASSIGN(const auto in_force, registry::model_in_force(store));
  if (context.json) {
    auto array = store::Document::array();
    for (const auto& version : versions) array.push_back(version.document);
    print_json(array);
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& version : versions) {
    const auto metrics = version.document.value("metrics", store::Document());
    std::string parent = version.finetuned_from.value_or("-");
    for (const auto& other : versions) {
      if (other.id == parent) parent = other.version;
    }
    rows.push_back({version.version + (in_force && in_force->id == version.id ? " *" : ""),
                    version.model_name, version.status, metric(metrics, "f1_score"),
                    metric(metrics, "roc_auc"), parent, store::text_field(version.document, "notes")});
  }
  print_table({"version", "model", "status", "F1", "AUC", "fine-tuned from", "notes"}, rows);
  if (in_force)
    print_line("* the model in force");
  else if (versions.empty())
    note("no versions yet: `maeil run` trains the first, `maeil model import F.pth` takes one in");
  return 0;
}

Result<int> model_show(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  if (context.json) {
    print_json(version.document);
    return 0;
  }
  for (const auto& [name, value] : version.document.items())
    print_line(fmt::format("{:<20} {}", name, plain(value)));
  store::FindOptions evaluations;
  evaluations.filter = {{"model_id", version.id}};
  evaluations.sort = {{"timestamp", -1}};
  MAEIL_ASSIGN(const auto metrics, store.find("performance_metrics", evaluations));
  for (const auto& document : metrics) {
    MAEIL_TRY(store::check_fields("performance_metrics", document, {{"metrics", store::FieldKind::kObject}}));
    const auto values = document.value("metrics", store::Document::object());
    const auto interval = values.value("f1_interval", store::Document());
    print_line(fmt::format(
        "evaluated on {} of {}: F1 {}{}, AUC {}", plain(document.value("dataset_name", store::Document())),
        plain(document.value("logical_date", store::Document())), metric(values, "f1_score"),
        interval.is_null() ? "" : " " + plain(interval), metric(values, "roc_auc")));
  }
  return 0;
}

Result<int> model_export(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  const std::string path = !options.out.empty() ? options.out : export_name(version);
  MAEIL_TRY(check_output(path, {}));
  MAEIL_TRY(registry::ensure_local_copy(store, version, path));
  if (context.json)
    print_json({{"model_version", version.version}, {"path", path}, {"sha256", version.sha256}});
  else
    print_line(fmt::format("version {} -> {} (sha256 {})", version.version, path, version.sha256));
  return 0;
}

// What waits for a person's approval is deployed by it; of another version it is a step of its own.
Result<int> model_approve(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  MAEIL_ASSIGN(const auto proposal, loop::proposal_of(store, version));
  std::unique_ptr<store::Lock> lock;
  if (proposal.deploys) {
    MAEIL_ASSIGN(lock, store.lock("runner", "maeil model approve"));
  }
  const Instant when = now();
  store::Batch batch;
  const std::string note =
      options.comment.empty() ? "approved by hand" : "approved by hand: " + options.comment;
  MAEIL_TRY(registry::change_status(version, {.status = "approved", .run_id = loop::kByHand, .note = note},
                                    when, batch));
  batch.puts.push_back(registry::audit_entry({.act = "approve",
                                              .what = version.version,
                                              .from = version.status,
                                              .to = "approved",
                                              .run_id = loop::kByHand,
                                              .comment = options.comment},
                                             when));
  const auto told = loop::notices(
      store, context.settings, "MODEL_APPROVED", version, std::chrono::floor<std::chrono::days>(when),
      fmt::format("Version {} is {}, by {}.", version.version, note, registry::acting_user()));
  if (told) batch.puts.insert(batch.puts.end(), told->begin(), told->end());
  MAEIL_TRY(registry::commit_change(store, batch, version));
  if (proposal.deploys) {
    MAEIL_ASSIGN(const auto approved, registry::find_version(store, version.id));
    if (!context.json) print_line(fmt::format("version {} is approved", version.version));
    return deploy(context, store, approved, "deploy");
  }
  ring(context, store);
  if (context.json)
    print_json({{"model_version", version.version}, {"status", "approved"}});
  else
    print_line(
        fmt::format("version {} is approved (it was {}){}; `maeil model deploy {}` deploys it",
                    version.version, version.status,
                    proposal.instead.empty()
                        ? ""
                        : fmt::format(" and not deployed: version {} was deployed since it was proposed",
                                      proposal.instead),
                    version.version));
  return 0;
}

Result<int> model_deploy(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const auto lock, store.lock("runner", "maeil model deploy"));
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  return deploy(context, store, version, "deploy");
}

Result<int> model_rollback(Context& context) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const auto lock, store.lock("runner", "maeil model rollback"));
  MAEIL_ASSIGN(const auto version, registry::previous_deployment(store));
  return deploy(context, store, version, "rollback");
}

}  // namespace maeil::cli
