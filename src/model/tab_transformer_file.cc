// The metadata of a file of ours, under the key `metadata`:
//   categorical_features, numerical_features  names in the model's order
//   preparation                               prep/preparation.h's JSON
//   unknown_embeddings                        C lists of D numbers, only where they are not the tables' means
//   decision                                  calibration and threshold (decision.h), where it has them
//   hyperparameters.nhead                     what the tensors do not show
//   and whatever the maker noted (reference, unbound).
#include "model/tab_transformer_file.h"

#include <fmt/format.h>

#include <cmath>

#include "format/torch.h"
#include "model/tab_transformer.h"
#include "nn/checkpoint.h"

namespace maeil::model {
namespace {

constexpr const char* kOwnKeys[] = {
    "categorical_features", "numerical_features", "preparation", "unknown_embeddings", "nhead", "decision"};

// (C, D); empty where the file has none.
Result<std::vector<float>> read_unknown(const Json& metadata, const nn::ModelShape& shape) {
  std::vector<float> unknown;
  const auto found = metadata.find("unknown_embeddings");
  if (found == metadata.end()) return unknown;
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
      unknown.push_back(x.get<float>());
    }
  }
  return unknown;
}

Status check_features(const nn::ModelShape& shape, const prep::Preparation& p) {
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

}  // namespace

Result<ModelFile> parse_tab_transformer_file(std::string_view bytes, const std::string& file_name,
                                             const table::DatasetSpec& spec, int heads) {
  MAEIL_ASSIGN(const auto checkpoint, format::open_checkpoint(bytes, file_name));
  MAEIL_ASSIGN(const auto metadata, checkpoint->value("metadata"));
  const bool ours = metadata && metadata->is_object() && metadata->contains("preparation");
  if (ours && metadata->contains("nhead") && (*metadata)["nhead"].is_number_integer())
    heads = (*metadata)["nhead"].get<int>();
  ModelFile model;
  MAEIL_ASSIGN(auto loaded, nn::load_parameters(*checkpoint, heads));
  model.remarks = std::move(loaded.remarks);
  MAEIL_TRY(check_classes(loaded.parameters));
  std::vector<float> unknown;
  if (ours) {
    MAEIL_ASSIGN(model.preparation, prep::from_json((*metadata)["preparation"], spec));
    MAEIL_TRY(check_features(loaded.parameters.shape, *model.preparation));
    MAEIL_ASSIGN(unknown, read_unknown(*metadata, loaded.parameters.shape));
    if (metadata->contains("decision")) {
      MAEIL_ASSIGN(model.decision, decision_from_json((*metadata)["decision"]));
    }
    model.notes = *metadata;
    for (const char* key : kOwnKeys) model.notes.erase(key);
  }
  MAEIL_ASSIGN(model.predictor, TabTransformer::make(std::move(loaded.parameters), std::move(unknown)));
  return model;
}

Result<std::string> TabTransformer::file_bytes(const FileFacts& facts) const {
  std::vector<format::Tensor> tensors;
  for (const auto& tensor : parameters().named(!parameters().has_head)) {
    format::Tensor out;
    out.name = tensor.name;
    out.shape = tensor.shape;
    out.values.assign(tensor.values.begin(), tensor.values.end());
    tensors.push_back(std::move(out));
  }
  Json metadata = Json::object();
  if (facts.preparation) {
    auto categorical = Json::array(), numeric = Json::array();
    for (const auto& f : facts.preparation->categorical) categorical.push_back(f.name);
    for (const auto& f : facts.preparation->numeric) numeric.push_back(f.name);
    metadata = {{"categorical_features", categorical},
                {"numerical_features", numeric},
                {"preparation", prep::to_json(*facts.preparation)},
                {"nhead", parameters().shape.heads}};
  }
  if (!unknown_.empty()) {
    auto rows = Json::array();
    const size_t width = static_cast<size_t>(parameters().shape.width);
    for (size_t at = 0; at < unknown_.size(); at += width) {
      rows.push_back(std::vector<float>(unknown_.begin() + at, unknown_.begin() + at + width));
    }
    metadata["unknown_embeddings"] = rows;
  }
  if (!facts.decision.is_null()) metadata["decision"] = facts.decision;
  metadata.update(facts.notes);
  const Json extras = {
      {"metadata", metadata},
      {"finetuned_from", facts.finetuned_from ? Json(*facts.finetuned_from) : Json()},
      {"finetune_timestamp", facts.finetuned_from ? Json(format_instant(facts.when)) : Json()}};
  return format::write_checkpoint(tensors, extras);
}

}  // namespace maeil::model
