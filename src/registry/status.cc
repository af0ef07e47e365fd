#include "registry/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/certain_commit.h"
#include "store/field_rules.h"

namespace maeil::registry {
namespace {

using store::Document;

constexpr const char* kHistory = "status_history";

// From which statuses a version may come to which. A deployed version may be deployed again (a repair), a
// retired or rejected one only by a person's word (approve, rollback).
const std::map<std::string, std::set<std::string>, std::less<>>& allowed_changes() {
  static const std::map<std::string, std::set<std::string>, std::less<>> changes = {
      {"approved", {"registered", "approved", "rejected", "retired", "candidate"}},
      {"candidate", {"registered", "rejected"}},
      {"rejected", {"registered", "rejected", "approved", "candidate"}},
      {"deployed", {"approved", "deployed", "retired"}},
      {"retired", {"deployed", "retired"}},
  };
  return changes;
}

Document field_or_null(const Document& document, const char* name) {
  const auto found = document.find(name);
  return found == document.end() ? Document() : *found;
}

// The history so far; of a version that has none, what it says of itself.
Document history_of(const ModelVersion& version) {
  Document history = field_or_null(version.document, kHistory);
  if (history.is_array()) return history;
  Document first = {{"status", version.status}, {"at", field_or_null(version.document, "updated_at")}};
  for (const auto& [name, field] : {std::pair("note", "notes"), std::pair("metrics", "metrics")}) {
    if (Document value = field_or_null(version.document, field); !value.is_null())
      first[name] = std::move(value);
  }
  return Document::array({std::move(first)});
}

Document entry_of(const StatusChange& change, Instant when) {
  Document entry = {{"status", change.status}, {"at", store::date_value(when)}, {"run_id", change.run_id}};
  if (!change.note.empty()) entry["note"] = change.note;
  if (!change.metrics.is_null()) entry["metrics"] = change.metrics;
  if (change.status == "deployed")
    entry["replaced"] = change.replaced.empty() ? Document() : Document(change.replaced);
  return entry;
}

// The last entry about a deployment, or null.
Document last_deployment(const ModelVersion& version) {
  const Document history = history_of(version);
  for (auto entry = history.rbegin(); entry != history.rend(); ++entry) {
    if (entry->is_object() && store::text_field(*entry, "status") == "deployed") return *entry;
  }
  return Document();
}

// As maeil found it before versions had histories: the newest event about another version than the present
// one.
Result<ModelVersion> previous_by_events(store::Store& store, const std::string& present) {
  constexpr const char* kEvents = "deployment_events";
  store::FindOptions options;
  options.filter = {{"status", "deployed"}, {"event_type", "model_deployed"}};
  options.sort = {{"timestamp", -1}};
  MAEIL_ASSIGN(const auto events, store.find(kEvents, options));
  for (const auto& event : events) {
    MAEIL_TRY(store::check_fields(
        kEvents, event, {{"model_id", store::FieldKind::kText, store::FieldRule::Missing::kRefused}}));
    const std::string id = store::text_field(event, "model_id");
    if (id != present) return find_version(store, id);
  }
  return not_found("no version was deployed before the present one");
}

}  // namespace

Status change_status(const ModelVersion& version, const StatusChange& change, Instant when,
                     store::Batch& batch) {
  const bool puts_in_force = change.status == "approved" || change.status == "deployed";
  if (puts_in_force && version.model_name != kClassifier) {
    return usage_error(fmt::format("version {} is {} ({}): only a classifier can be {}", version.version,
                                   version.model_name == kEncoder ? "an encoder" : "no classifier",
                                   version.model_name, change.status));
  }
  const auto rule = allowed_changes().find(change.status);
  if (rule == allowed_changes().end() || !rule->second.contains(version.status)) {
    return usage_error(
        fmt::format("version {} is {} and cannot become {}", version.version, version.status, change.status));
  }
  Document history = history_of(version);
  history.push_back(entry_of(change, when));
  Document fields = {
      {"status", change.status}, {"updated_at", store::date_value(when)}, {kHistory, std::move(history)}};
  if (!change.note.empty()) fields["notes"] = change.note;
  if (!change.metrics.is_null()) fields["metrics"] = change.metrics;
  batch.expects.push_back(
      {kCollection,
       version.id,
       {{"status", version.status}, {kHistory, field_or_null(version.document, kHistory)}}});
  batch.sets.push_back({kCollection, version.id, std::move(fields)});
  return {};
}

Status commit_change(store::Store& store, const store::Batch& batch, const ModelVersion& as_read) {
  const auto set = std::ranges::find_if(batch.sets, [&](const store::Batch::Set& candidate) {
    return candidate.collection == kCollection && candidate.id == as_read.id &&
           candidate.fields.contains(kHistory);
  });
  const auto is_there = [&]() -> Result<bool> {
    if (set == batch.sets.end()) {
      if (batch.puts.empty()) return false;
      const auto& put = batch.puts.back();
      return store::has_document(store, put.collection, store::id_text(put.document.at("_id")));
    }
    // Others may have changed the version since: the entry stays in its history, once as an element.
    MAEIL_ASSIGN(const auto found, find_version(store, as_read.id));
    const Document history = history_of(found), &wanted = set->fields.at(kHistory).back();
    return std::ranges::find(history, wanted) != history.end();
  };
  const std::string where = fmt::format("look with `maeil model show {}`", as_read.version);
  MAEIL_ASSIGN(const Status done, store::commit_for_certain(store, batch, is_there, where));
  if (done || done.error().code != ErrorCode::kConflict) return done;
  MAEIL_ASSIGN(const auto what, changed_meanwhile(store, as_read));
  return fail(ErrorCode::kConflict, what.value_or(done.error().message));
}

Result<std::optional<std::string>> changed_meanwhile(store::Store& store, const ModelVersion& as_read) {
  MAEIL_ASSIGN(const auto found, find_version(store, as_read.id));
  if (found.status == as_read.status &&
      field_or_null(found.document, kHistory) == field_or_null(as_read.document, kHistory))
    return std::nullopt;
  const Document history = history_of(found);
  const std::string by =
      history.empty() || !history.back().is_object() ? "" : store::text_field(history.back(), "run_id");
  return fmt::format(
      "version {} was {} when this command read it and is {} now{}: nothing was changed; look at it with "
      "`maeil model show {}`",
      found.version, as_read.status, found.status, by.empty() ? "" : fmt::format(" (run {})", by),
      found.version);
}

std::optional<std::string> status_after_verdict(const ModelVersion& version, Judged judged,
                                                std::optional<bool> passed, Approval approval) {
  using Change = std::optional<std::string>;
  const std::string& status = version.status;
  if (!passed) return judged == Judged::kAttempt && status == "registered" ? Change("rejected") : Change();
  if (judged == Judged::kInForce)
    return *passed && status == "registered" && approval == Approval::kAuto ? Change("approved") : Change();
  if (status == "deployed" || status == "retired") return Change();
  if (!*passed) return Change("rejected");
  if (approval == Approval::kAuto) return Change("approved");
  return status == "approved" || status == "candidate" ? Change() : Change("candidate");
}

bool waits_for_approval(const ModelVersion& version) {
  return version.status == "registered" || version.status == "candidate";
}

Result<ModelVersion> previous_deployment(store::Store& store) {
  MAEIL_ASSIGN(const auto present, deployed_version(store));
  if (!present) return previous_by_events(store, "");
  const Document entry = last_deployment(*present);
  if (!entry.contains("replaced")) return previous_by_events(store, present->id);
  const std::string replaced = store::text_field(entry, "replaced");
  if (replaced.empty()) return not_found("no version was deployed before the present one");
  return find_version(store, replaced);
}

}  // namespace maeil::registry
