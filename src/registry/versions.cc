#include "registry/versions.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/field_rules.h"

namespace maeil::registry {

using store::Document;

bool is_version_name(std::string_view text) {
  constexpr size_t kBar = 8, kLength = 15;
  if (text.size() != kLength || text[kBar] != '_') return false;
  for (size_t i = 0; i < kLength; ++i) {
    if (i != kBar && (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

Result<ModelVersion> version_from(const Document& document) {
  using Kind = store::FieldKind;
  using Missing = store::FieldRule::Missing;
  MAEIL_TRY(store::check_fields(kCollection, document,
                                {{"_id", Kind::kId, Missing::kRefused},
                                 {"model_name", Kind::kText, Missing::kRefused},
                                 {"model_version", Kind::kText, Missing::kRefused},
                                 {"status", Kind::kText},
                                 {"model_path", Kind::kText, Missing::kNullToo},
                                 {"model_format", Kind::kText, Missing::kNullToo},
                                 {"model_file_id", Kind::kId, Missing::kNullToo},
                                 {"sha256", Kind::kSha256, Missing::kNullToo},
                                 {"hyperparameters", Kind::kObject, Missing::kNullToo},
                                 {"metrics", Kind::kObject, Missing::kNullToo},
                                 {"notes", Kind::kText, Missing::kNullToo},
                                 {"status_history[].status", Kind::kText, Missing::kAllowed},
                                 {"status_history[].replaced", Kind::kText, Missing::kNullToo}}));
  ModelVersion version;
  version.id = store::id_text(document["_id"]);
  version.model_name = store::text_field(document, "model_name");
  version.version = store::text_field(document, "model_version");
  if (version.id.empty()) return store::wrong_field(kCollection, document, "_id", "is no ObjectId");
  if (!is_version_name(version.version)) {
    return store::wrong_field(kCollection, document, "model_version",
                              fmt::format("is '{}', not of the form 20261123_000000", version.version));
  }
  version.status = store::text_field(document, "status");
  version.path = store::text_field(document, "model_path");
  const Document file_id = document.value("model_file_id", Document());
  version.file_id = file_id.is_string() ? file_id.get<std::string>() : store::id_text(file_id);
  version.sha256 = store::text_field(document, "sha256");
  if (store::text_field(document, "model_format") == "maeil") version.format = "maeil";
  // The Python project kept the parent among the hyperparameters only.
  const Document hyperparameters = document.value("hyperparameters", Document());
  const Document& place =
      document.contains("finetuned_from") || !hyperparameters.is_object() ? document : hyperparameters;
  if (const auto parent = place.find("finetuned_from"); parent != place.end() && !parent->is_null()) {
    const std::string id = parent->is_string() ? parent->get<std::string>() : store::id_text(*parent);
    if (id.empty() && !parent->is_string())
      return store::wrong_field(kCollection, document, "finetuned_from", "is no id");
    version.finetuned_from = id;
  }
  version.document = document;
  return version;
}

namespace {

// Of the documents that match, newest first; `limit` 0: all.
Result<std::vector<ModelVersion>> find_versions(store::Store& store, Document filter, int64_t limit) {
  store::FindOptions options;
  options.filter = std::move(filter);
  options.sort = {{"model_version", -1}};
  options.limit = limit;
  MAEIL_ASSIGN(const auto documents, store.find(kCollection, options));
  std::vector<ModelVersion> versions;
  for (const auto& document : documents) {
    MAEIL_ASSIGN(auto version, version_from(document));
    versions.push_back(std::move(version));
  }
  return versions;
}

Document classifiers(const char* status) { return {{"status", status}, {"model_name", kClassifier}}; }

Result<std::optional<ModelVersion>> newest(store::Store& store, Document filter) {
  MAEIL_ASSIGN(auto versions, find_versions(store, std::move(filter), 1));
  return versions.empty() ? std::nullopt : std::optional(std::move(versions.front()));
}

}  // namespace

Result<std::vector<ModelVersion>> list_versions(store::Store& store) {
  return find_versions(store, Document::object(), 0);
}

Result<ModelVersion> find_version(store::Store& store, std::string_view version_or_id) {
  std::optional<ModelVersion> found;
  if (is_version_name(version_or_id)) {
    MAEIL_ASSIGN(found, newest(store, {{"model_version", version_or_id}}));
  } else if (store::is_id(version_or_id)) {
    MAEIL_ASSIGN(found, newest(store, {{"_id", store::id_value(version_or_id)}}));
  }
  if (found) return std::move(*found);
  MAEIL_ASSIGN(const auto versions, list_versions(store));
  return not_found(
      fmt::format("there is no model version '{}' in {}; `maeil model list` shows the {} there are",
                  version_or_id, store.description(), versions.size()));
}

// Reads them all: one whose status or kind cannot be read might be the one in force, and must not be passed
// over.
Result<std::optional<ModelVersion>> model_in_force(store::Store& store) {
  MAEIL_ASSIGN(auto versions, list_versions(store));
  for (const char* status : {"deployed", "approved", "registered"}) {
    for (auto& version : versions) {
      // What a task that was done again made in place of another is what counts; but what is deployed is
      // deployed.
      const bool counts = version.status == "deployed" || !version.document.contains("superseded_by");
      if (version.model_name == kClassifier && version.status == status && counts)
        return std::optional(std::move(version));
    }
  }
  return std::nullopt;
}

Result<std::optional<ModelVersion>> deployed_version(store::Store& store) {
  return newest(store, classifiers("deployed"));
}

Result<std::vector<ModelVersion>> deployed_versions(store::Store& store) {
  return find_versions(store, classifiers("deployed"), 0);
}

Document make_version_document(const NewVersion& version, Instant created) {
  Document document = {{"_id", store::id_value(version.id)},
                       {"model_name", version.model_name},
                       {"model_path", version.path},
                       {"model_version", version.version},
                       {"model_format", version.format},
                       {"hyperparameters", version.hyperparameters},
                       {"metrics", version.metrics},
                       {"status", version.status},
                       {"notes", version.notes},
                       {"created_at", store::date_value(created)},
                       {"updated_at", store::date_value(created)},
                       {"sha256", version.sha256},
                       {"model_file_id", store::id_value(version.file_id)}};
  document["status_history"] = Document::array(
      {{{"status", version.status}, {"at", store::date_value(created)}, {"note", version.notes}}});
  if (!version.family.empty()) document["model_family"] = version.family;
  if (!version.decision.is_null()) document["decision"] = version.decision;
  if (version.finetuned_from) {
    document["finetuned_from"] = *version.finetuned_from;
    document["finetune_timestamp"] = store::date_value(created);
    document["hyperparameters"]["finetuned_from"] = *version.finetuned_from;
    document["hyperparameters"]["finetune_timestamp"] = store::date_value(created);
  }
  return document;
}

}  // namespace maeil::registry
