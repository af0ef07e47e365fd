// `maeil model history`: how every version came to its status, what was deployed when, and who did what.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "registry/audit.h"
#include "registry/versions.h"

namespace maeil::cli {
namespace {

using store::Document;

// A field as people read it; "" when it is not there.
std::string shown(const Document& document, const char* field) {
  const auto found = document.find(field);
  return found == document.end() || found->is_null() ? "" : plain(*found);
}

Result<std::vector<Document>> newest_first(store::Store& store, const char* collection) {
  store::FindOptions options;
  options.sort = {{"timestamp", -1}};
  return store.find(collection, options);
}

Document history_of(const registry::ModelVersion& version) {
  const Document history = version.document.value("status_history", Document());
  return history.is_array() ? history : Document::array();
}

Document version_summary(const registry::ModelVersion& version) {
  Document out = {
      {"model_version", version.version},
      {"model_id", version.id},
      {"model_name", version.model_name},
      {"status", version.status},
      {"finetuned_from", version.finetuned_from ? Document(*version.finetuned_from) : Document()}};
  for (const char* link : {"supersedes", "superseded_by"})
    out[link] = version.document.value(link, Document());
  out["status_history"] = history_of(version);
  return out;
}

void print_versions(const std::vector<registry::ModelVersion>& versions) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& version : versions) {
    std::string link;
    if (const std::string old = shown(version.document, "supersedes"); !old.empty())
      link = "supersedes " + old;
    if (const std::string next = shown(version.document, "superseded_by"); !next.empty())
      link += (link.empty() ? "" : ", ") + ("superseded by " + next);
    Document history = history_of(version);
    if (history.empty())
      history.push_back(
          {{"status", version.status}, {"at", version.document.value("updated_at", Document())}});
    for (size_t i = 0; i < history.size(); ++i) {
      const Document& entry = history[i];
      rows.push_back({i == 0 ? version.version : "", shown(entry, "at"), shown(entry, "status"),
                      shown(entry, "run_id"), shown(entry, "note"), i == 0 ? link : ""});
    }
  }
  print_table({"version", "when", "status", "run", "note", ""}, rows);
}

}  // namespace

Result<int> model_history(Context& context) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
  MAEIL_ASSIGN(const auto deployments, newest_first(store, "deployment_events"));
  MAEIL_ASSIGN(const auto acts, newest_first(store, registry::kAuditLog));
  if (context.json) {
    auto summaries = Document::array();
    for (const auto& version : versions) summaries.push_back(version_summary(version));
    print_json({{"versions", summaries}, {"deployments", deployments}, {"audit", acts}});
    return 0;
  }
  print_versions(versions);
  print_line("");
  std::vector<std::vector<std::string>> rows;
  for (const auto& event : deployments) {
    const bool unchanged = event.value("unchanged", Document()) == true;
    rows.push_back({shown(event, "timestamp"), shown(event, "model_version"), shown(event, "status"),
                    unchanged ? "unchanged" : "", shown(event, "error")});
  }
  print_table({"when", "deployed", "status", "", "error"}, rows);
  print_line("");
  rows.clear();
  for (const auto& act : acts) {
    const auto actor = act.value("actor", Document());
    const std::string who = actor.is_object()
                                ? fmt::format("{} on {}", shown(actor, "os_user"), shown(actor, "host"))
                                : plain(actor);
    rows.push_back({shown(act, "timestamp"), who, shown(act, "act"), shown(act, "what"), shown(act, "from"),
                    shown(act, "to"), shown(act, "run_id")});
  }
  print_table({"when", "who", "did", "what", "from", "to", "run"}, rows);
  return 0;
}

}  // namespace maeil::cli
