// Model versions: documents of `model_metadata`, their statuses and the rule that says which one is in force.
//
// Status: registered -> approved | rejected -> deployed -> retired (DESIGN's day). Versions are never deleted. All
// functions read the store or build documents and batches; nothing here commits, except take_version_name.
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
  std::string path;        // this machine's copy
  std::string file_id;     // the bytes in the store
  std::string sha256;
  std::optional<std::string> finetuned_from;  // the parent's id
  store::Document document;                   // everything
};

ModelVersion version_from(const store::Document& document);

// Newest first (by version name, which is a time).
Result<std::vector<ModelVersion>> list_versions(store::Store& store);

// By version name or id; kNotFound names what exists.
Result<ModelVersion> find_version(store::Store& store, std::string_view version_or_id);

// The model in force: the deployed classifier; else the newest approved; else the newest registered. nullopt: none.
Result<std::optional<ModelVersion>> model_in_force(store::Store& store);

// The name of the version that `owner` (a task key) makes: the one it took before, else `instant` or the next free
// second; kept in the store at once, so that a rerun gets the same.
Result<std::string> take_version_name(store::Store& store, std::string_view owner, Instant instant);

// What a new version's document says; the caller adds timestamp, run_id, logical_date and task_key.
struct NewVersion {
  std::string id, model_name, version, path, file_id, sha256;
  store::Document hyperparameters = store::Document::object();
  store::Document metrics = store::Document::object();
  std::optional<std::string> finetuned_from;
  std::string notes;
};
store::Document make_version_document(const NewVersion& version, Instant created);

// A change of status (and note) as one batch entry. kUsage when the status may not follow the present one.
Result<store::Batch::Set> change_status(const ModelVersion& version, std::string_view status, std::string_view note,
                                        Instant when);

}  // namespace maeil::registry
