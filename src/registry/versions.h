// Model versions: documents of `model_metadata`, and the rule that says which one is in force.
//
// A version is written once. Its id, model_name, model_version, finetuned_from, bytes (model_file_id,
// sha256), hyperparameters, created_at and timestamp never change. What may: `status`, `notes`, `metrics` and
// `updated_at`, which are those of the last change of status; `status_history`, which only grows (status.h);
// and `superseded_by`, when the task that made the version is done again. Versions are never deleted. Names
// are taken in version_names.h. All functions read the store or build documents; nothing here commits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/store.h"

namespace maeil::registry {

inline constexpr const char* kClassifier = "default_prediction_classifier";
inline constexpr const char* kEncoder = "default_prediction_encoder";
inline constexpr const char* kCollection = "model_metadata";

struct ModelVersion {
  std::string id;          // 24 hex digits
  std::string model_name;  // kClassifier or kEncoder
  std::string version;     // YYYYMMDD_HHMMSS
  std::string status;
  std::string path;     // where the machine that made it keeps a copy: for people, never opened
  std::string file_id;  // the bytes in the store
  std::string sha256;
  std::string format = "pth";                 // of the file: "pth" or "maeil", and its extension
  std::optional<std::string> finetuned_from;  // the parent's id
  store::Document document;                   // everything
};

// "20261123_000000": fifteen characters that are no path.
bool is_version_name(std::string_view text);

// kBadInput, naming document and field, for a document that is no version: what a store holds may come from
// anybody, and a version's name becomes a folder's.
Result<ModelVersion> version_from(const store::Document& document);

// Newest first (by version name, which is a time). kBadInput as version_from.
Result<std::vector<ModelVersion>> list_versions(store::Store& store);

// By version name or id; kNotFound names what exists. This and those of what is deployed read by indexes only
// what they answer with: kBadInput as version_from for that, not for another document.
Result<ModelVersion> find_version(store::Store& store, std::string_view version_or_id);

// The model in force: the deployed classifier; else the newest approved; else the newest registered. nullopt:
// none. A superseded version is in force only while it is deployed.
Result<std::optional<ModelVersion>> model_in_force(store::Store& store);

// The deployed classifier; nullopt: none.
Result<std::optional<ModelVersion>> deployed_version(store::Store& store);
// All that say so, newest first: one, unless another program wrote there.
Result<std::vector<ModelVersion>> deployed_versions(store::Store& store);

// What a new version's document says; the caller adds timestamp, run_id, logical_date and task_key.
struct NewVersion {
  std::string id, model_name, version, path, file_id, sha256;
  std::string format = "pth";         // of the file: "pth" or "maeil"
  std::string family = {};            // of the model (model/predictor.h)
  std::string status = "registered";  // or "candidate": beside the model in force, until a person approves it
  store::Document decision = {};      // its calibration and threshold (model/decision.h); null: none
  store::Document hyperparameters = store::Document::object();
  store::Document metrics = store::Document::object();
  std::optional<std::string> finetuned_from;
  std::string notes;
};
store::Document make_version_document(const NewVersion& version, Instant created);

}  // namespace maeil::registry
