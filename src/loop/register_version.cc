#include "loop/register_version.h"

#include <fmt/format.h>

#include <filesystem>

#include "registry/audit.h"
#include "registry/version_file.h"
#include "registry/version_names.h"
#include "store/certain_commit.h"

namespace maeil::loop {

Status write_version(store::Store& store, const Settings& settings, const model::ModelFile& model,
                     const std::string& taken_by, const char* file_prefix, Instant when,
                     registry::NewVersion& version) {
  version.family = model.predictor->family();
  version.format = model.predictor->file_extension().substr(1);
  if (model.decision) version.decision = model::to_json(*model.decision);
  MAEIL_ASSIGN(version.version, registry::take_version_name(store, taken_by, when));
  MAEIL_ASSIGN(const std::string bytes, model::model_file_bytes(model, version.finetuned_from, when));
  const auto path = std::filesystem::path(settings.model_save_path) /
                    fmt::format("{}_{}.{}", file_prefix, version.version, version.format);
  return registry::save_version(store, bytes, path.string(), version);
}

Result<store::Document> register_version(store::Store& store, const Settings& settings,
                                         const model::ModelFile& model, registry::NewVersion version,
                                         const ByHand& how) {
  const Instant when = now();
  version.id = store::new_object_id(when);
  if (version.hyperparameters.empty()) version.hyperparameters = model.predictor->hyperparameters();
  MAEIL_TRY(write_version(store, settings, model, fmt::format("{}/{}", how.act, version.id),
                          version.model_name == registry::kClassifier ? "classifier" : "pretrained_encoder",
                          when, version));
  store::Document document = registry::make_version_document(version, when);
  document.update({{"timestamp", store::date_value(when)},
                   {"run_id", how.act},
                   {"logical_date", format_date(std::chrono::floor<std::chrono::days>(when))}});
  document.update(how.more);
  store::Batch batch;
  batch.puts.push_back({registry::kCollection, document});
  batch.puts.push_back(registry::audit_entry(
      {how.act,
       version.version,
       how.from,
       {{"model_id", version.id}, {"model_name", version.model_name}, {"sha256", version.sha256}},
       "manual"},
      when));
  MAEIL_ASSIGN(
      const Status done,
      store::commit_for_certain(
          store, batch, [&] { return store::has_document(store, registry::kCollection, version.id); },
          fmt::format("`maeil model list` shows version {} if it was", version.version)));
  MAEIL_TRY(done);
  return document;
}

}  // namespace maeil::loop
