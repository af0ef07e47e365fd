// The metadata of a file of ours, under the key `metadata`:
//   categorical_features, numerical_features  names in the model's order
//   preparation                               prep/preparation.h's JSON
//   unknown_embeddings                        C lists of D numbers, only where they are not the tables' means
//   hyperparameters.nhead                     what the tensors do not show
//   and whatever the maker noted (reference, unbound).
#include "registry/model_file.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/hash.h"
#include "format/torch.h"
#include "nn/checkpoint.h"

namespace maeil::registry {
namespace {

using store::Document;

constexpr const char* kOwnKeys[] = {"categorical_features", "numerical_features", "preparation",
                                    "unknown_embeddings", "nhead"};

Status read_unknown(const Document& metadata, ModelFile& model) {
  const auto found = metadata.find("unknown_embeddings");
  if (found == metadata.end()) return {};
  const auto& shape = model.parameters.shape;
  const size_t width = static_cast<size_t>(shape.width);
  const auto wrong = [&] {
    return bad_input(fmt::format("unknown_embeddings in the metadata must be {} lists of {} finite numbers",
                                 shape.categorical(), width));
  };
  if (!found->is_array() || found->size() != static_cast<size_t>(shape.categorical())) return wrong();
  for (const auto& row : *found) {
    if (!row.is_array() || row.size() != width) return wrong();
    for (const auto& x : row) {
      if (!x.is_number() || !std::isfinite(x.get<float>())) return wrong();
      model.unknown.push_back(x.get<float>());
    }
  }
  return {};
}

Status check_features(const ModelFile& model) {
  const auto& shape = model.parameters.shape;
  const auto& p = *model.preparation;
  if (p.categorical.size() != shape.cardinalities.size() ||
      p.numeric.size() != static_cast<size_t>(shape.numeric)) {
    return bad_input(
        fmt::format("the preparation has {} categorical and {} numeric features, the tensors {} and {}",
                    p.categorical.size(), p.numeric.size(), shape.cardinalities.size(), shape.numeric));
  }
  for (size_t i = 0; i < p.categorical.size(); ++i) {
    if (p.categorical[i].cardinality != shape.cardinalities[i]) {
      return bad_input(fmt::format("feature '{}' has {} values in the preparation, its embedding {} rows",
                                   p.categorical[i].name, p.categorical[i].cardinality,
                                   shape.cardinalities[i]));
    }
  }
  return {};
}

Status check_classes(const nn::Parameters& parameters) {
  const int classes = parameters.shape.classes;
  if (!parameters.has_head || classes == 2) return {};
  return bad_input(fmt::format(
      "the head fc.3 has {}; maeil's classifiers have two, the negative and the positive, so train or save "
      "the "
      "model with two outputs",
      classes == 1 ? std::string("one output (as for a sigmoid)") : fmt::format("{} classes", classes)));
}

Result<ModelFile> parse(std::string_view bytes, const std::string& file_name, const table::DatasetSpec& spec,
                        int heads) {
  MAEIL_ASSIGN(const auto checkpoint, format::open_checkpoint(bytes, file_name));
  MAEIL_ASSIGN(const auto metadata, checkpoint->value("metadata"));
  const bool ours = metadata && metadata->is_object() && metadata->contains("preparation");
  if (ours && metadata->contains("nhead") && (*metadata)["nhead"].is_number_integer())
    heads = (*metadata)["nhead"].get<int>();
  ModelFile model;
  MAEIL_ASSIGN(auto loaded, nn::load_parameters(*checkpoint, heads));
  model.parameters = std::move(loaded.parameters);
  model.remarks = std::move(loaded.remarks);
  MAEIL_TRY(check_classes(model.parameters));
  if (!ours) return model;
  MAEIL_ASSIGN(model.preparation, prep::from_json((*metadata)["preparation"], spec));
  MAEIL_TRY(check_features(model));
  MAEIL_TRY(read_unknown(*metadata, model));
  model.notes = *metadata;
  for (const char* key : kOwnKeys) model.notes.erase(key);
  return model;
}

}  // namespace

Result<ModelFile> parse_model_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec, int heads) {
  auto model = parse(bytes, file_name, spec, heads);
  // The readers below format/ speak of tensors and keys; the file's name is added here, once.
  if (!model && model.error().message.find(file_name) == std::string::npos)
    return with_context(file_name, model.error());
  return model;
}

Result<std::string> model_file_bytes(const ModelFile& model, const std::optional<std::string>& finetuned_from,
                                     Instant when) {
  if (const auto finite = nn::check_finite(model.parameters); !finite) {
    return internal_error(fmt::format("this model is not saved: {}; train it with a smaller LEARNING_RATE",
                                      finite.error().message));
  }
  std::vector<format::Tensor> tensors;
  for (const auto& tensor : model.parameters.named(!model.parameters.has_head)) {
    format::Tensor out;
    out.name = tensor.name;
    out.shape = tensor.shape;
    out.values.assign(tensor.values.begin(), tensor.values.end());
    tensors.push_back(std::move(out));
  }
  Document metadata = Document::object();
  if (model.preparation) {
    auto categorical = Document::array(), numeric = Document::array();
    for (const auto& f : model.preparation->categorical) categorical.push_back(f.name);
    for (const auto& f : model.preparation->numeric) numeric.push_back(f.name);
    metadata = {{"categorical_features", categorical},
                {"numerical_features", numeric},
                {"preparation", prep::to_json(*model.preparation)},
                {"nhead", model.parameters.shape.heads}};
  }
  if (!model.unknown.empty()) {
    auto rows = Document::array();
    const size_t width = static_cast<size_t>(model.parameters.shape.width);
    for (size_t at = 0; at < model.unknown.size(); at += width) {
      rows.push_back(std::vector<float>(model.unknown.begin() + at, model.unknown.begin() + at + width));
    }
    metadata["unknown_embeddings"] = rows;
  }
  metadata.update(model.notes);
  const Document extras = {
      {"metadata", metadata},
      {"finetuned_from", finetuned_from ? Document(*finetuned_from) : Document()},
      {"finetune_timestamp", finetuned_from ? Document(format_instant(when)) : Document()}};
  return format::write_checkpoint(tensors, extras);
}

Result<ModelFile> load_version(store::Store& store, const ModelVersion& version,
                               const table::DatasetSpec& spec, int heads) {
  if (version.file_id.empty()) {
    return bad_input(fmt::format("version {} has no bytes in {}: import its file with `maeil model import`",
                                 version.version, store.description()));
  }
  MAEIL_ASSIGN(const std::string bytes, store.read_whole_blob(version.file_id, uint64_t{2} << 30));
  if (sha256_hex(bytes) != version.sha256) {
    return bad_input(
        fmt::format("the bytes of version {} in {} do not match their sha256: restore a backup of the store",
                    version.version, store.description()));
  }
  MAEIL_ASSIGN(ModelFile model,
               parse_model_file(bytes, fmt::format("version {}", version.version), spec, heads));
  if (!model.preparation) {
    return bad_input(fmt::format(
        "version {} carries no preparation: import its file with `maeil model import`", version.version));
  }
  return model;
}

Status save_version(store::Store& store, std::string_view bytes, const std::string& path,
                    NewVersion& version) {
  MAEIL_ASSIGN(const auto blob, store.write_blob(std::filesystem::path(path).filename().string(),
                                                 {{"type", "model"}, {"model_version", version.version}}));
  MAEIL_TRY(blob->write(bytes));
  MAEIL_ASSIGN(version.file_id, blob->finish());
  version.sha256 = sha256_hex(bytes);
  version.path = path;
  return write_file_atomically(path, bytes);
}

}  // namespace maeil::registry
