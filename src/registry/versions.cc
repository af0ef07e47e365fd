#include "registry/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace maeil::registry {
namespace {

using store::Document;

std::string text_of(const Document& document, const char* field) {
  const auto found = document.find(field);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// From which statuses a version may come to which. A deployed version may be deployed again (a repair), a retired
// or rejected one only by a person's word (approve, rollback).
const std::map<std::string, std::set<std::string>, std::less<>>& allowed_changes() {
  static const std::map<std::string, std::set<std::string>, std::less<>> changes = {
      {"approved", {"registered", "approved", "rejected", "retired"}},
      {"rejected", {"registered", "rejected", "approved"}},
      {"deployed", {"approved", "deployed", "retired"}},
      {"retired", {"deployed", "retired"}},
  };
  return changes;
}

}  // namespace

ModelVersion version_from(const Document& document) {
  ModelVersion version;
  version.id = store::id_text(document.value("_id", Document()));
  version.model_name = text_of(document, "model_name");
  version.version = text_of(document, "model_version");
  version.status = text_of(document, "status");
  version.path = text_of(document, "model_path");
  version.file_id = store::id_text(document.value("model_file_id", Document()));
  version.sha256 = text_of(document, "sha256");
  // The Python project kept the parent among the hyperparameters only.
  const Document hyperparameters = document.value("hyperparameters", Document());
  const Document& place = document.contains("finetuned_from") || !hyperparameters.is_object() ? document : hyperparameters;
  if (const auto parent = place.find("finetuned_from"); parent != place.end()) {
    version.finetuned_from = parent->is_string() ? parent->get<std::string>() : store::id_text(*parent);
  }
  version.document = document;
  return version;
}

Result<std::vector<ModelVersion>> list_versions(store::Store& store) {
  store::FindOptions options;
  options.sort = {{"model_version", -1}};
  MAEIL_ASSIGN(const auto documents, store.find(kCollection, options));
  std::vector<ModelVersion> versions;
  for (const auto& document : documents) versions.push_back(version_from(document));
  return versions;
}

Result<ModelVersion> find_version(store::Store& store, std::string_view version_or_id) {
  MAEIL_ASSIGN(auto versions, list_versions(store));
  for (auto& version : versions) {
    if (version.version == version_or_id || version.id == version_or_id) return std::move(version);
  }
  return not_found(fmt::format("there is no model version '{}' in {}; `maeil model list` shows the {} there are", version_or_id,
                               store.description(), versions.size()));
}

Result<std::optional<ModelVersion>> model_in_force(store::Store& store) {
  MAEIL_ASSIGN(auto versions, list_versions(store));
  for (const char* status : {"deployed", "approved", "registered"}) {
    for (auto& version : versions) {
      if (version.model_name == kClassifier && version.status == status) return std::optional(std::move(version));
    }
  }
  return std::optional<ModelVersion>();
}

Result<std::string> take_version_name(store::Store& store, std::string_view owner, Instant instant) {
  constexpr const char* kNames = "version_names";
  const std::string id = store::task_object_id(owner, kNames, 0);
  store::FindOptions mine;
  mine.filter = {{"_id", store::id_value(id)}};
  MAEIL_ASSIGN(const Document taken, store.find_one(kNames, mine));
  if (!taken.is_null()) return text_of(taken, "model_version");

  std::set<std::string> used;
  for (const char* collection : {kNames, kCollection}) {
    MAEIL_TRY(store.find_each(collection, {}, [&](Document&& document) {
      used.insert(text_of(document, "model_version"));
      return true;
    }));
  }
  std::string name = format_version(instant);
  while (used.contains(name)) name = format_version(instant += std::chrono::seconds(1));
  store::Batch batch;
  batch.puts.push_back({kNames, {{"_id", store::id_value(id)}, {"model_version", name}, {"taken_by", owner},
                                 {"timestamp", store::date_value(now())}}});
  MAEIL_TRY(store.commit(batch));
  return name;
}

Document make_version_document(const NewVersion& version, Instant created) {
  Document document = {{"_id", store::id_value(version.id)},
                       {"model_name", version.model_name},
                       {"model_path", version.path},
                       {"model_version", version.version},
                       {"model_format", "pth"},
                       {"hyperparameters", version.hyperparameters},
                       {"metrics", version.metrics},
                       {"status", "registered"},
                       {"notes", version.notes},
                       {"created_at", store::date_value(created)},
                       {"updated_at", store::date_value(created)},
                       {"sha256", version.sha256},
                       {"model_file_id", store::id_value(version.file_id)}};
  if (version.finetuned_from) {
    document["finetuned_from"] = *version.finetuned_from;
    document["finetune_timestamp"] = store::date_value(created);
    document["hyperparameters"]["finetuned_from"] = *version.finetuned_from;
    document["hyperparameters"]["finetune_timestamp"] = store::date_value(created);
  }
  return document;
}

Result<store::Batch::Set> change_status(const ModelVersion& version, std::string_view status, std::string_view note,
                                        Instant when) {
  const auto rule = allowed_changes().find(status);
  if (rule == allowed_changes().end() || !rule->second.contains(version.status)) {
    return usage_error(fmt::format("version {} is {} and cannot become {}", version.version, version.status, status));
  }
  Document fields = {{"status", status}, {"updated_at", store::date_value(when)}};
  if (!note.empty()) fields["notes"] = note;
  return store::Batch::Set{kCollection, version.id, std::move(fields)};
}

}  // namespace maeil::registry
