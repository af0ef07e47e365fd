#include "loop/import.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "loop/register_version.h"
#include "loop/source.h"
#include "model/tab_transformer.h"
#include "nn/rows.h"
#include "registry/version_file.h"

namespace maeil::loop {
namespace {

constexpr uint64_t kReferenceRows = 100000, kReferenceSeed = 0;

Result<prep::FeatureMap> read_feature_map(const std::string& path) {
  if (path.empty()) return prep::parse_feature_map(table::builtin_feature_map(), "the built-in feature map");
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 26));
  return prep::parse_feature_map(text, path);
}

// What of a reference CSV counts for nothing, or as missing.
void remark_on(const table::ReadReport& report, const std::string& reference,
               std::vector<std::string>& remarks) {
  if (!report.how.empty()) remarks.push_back(fmt::format("{}: read as {}", reference, report.how));
  for (const auto& remark : report.remarks) remarks.push_back(fmt::format("{}: {}", reference, remark));
  if (report.quarantined > 0 && !report.examples.empty()) {
    remarks.push_back(fmt::format("{}: {} of {} reference rows were set aside, the first in line {}: {}",
                                  reference, report.quarantined, report.rows, report.examples.front().line,
                                  report.examples.front().reason));
  }
  for (auto& sentence : table::describe_unreadable(report, reference)) remarks.push_back(std::move(sentence));
}

Status for_each_reference_chunk(const std::string& reference, const table::DatasetSpec& spec,
                                const TableSink& sink, std::vector<std::string>& remarks) {
  if (reference.ends_with(".csv")) {
    MAEIL_ASSIGN(const auto report,
                 table::read_csv_file(reference, spec, {}, [&](Table&& chunk, const std::vector<uint64_t>&) {
                   return sink(chunk);
                 }));
    remark_on(report, reference, remarks);
    return table::check_read(report, reference);
  }
  std::error_code error;
  if (!std::filesystem::exists(reference, error))
    return not_found(fmt::format("the reference {} does not exist", reference));
  MAEIL_ASSIGN(const Source source, open_source({.distribution_model = reference}));
  return read_typed_rows(source, spec, Days{}, kReferenceRows, kReferenceSeed, sink);
}

}  // namespace

Result<BoundModel> read_bound_model(const Settings& settings, const table::DatasetSpec& spec,
                                    const std::string& path, const std::string& features,
                                    const std::string& reference_or_empty) {
  MAEIL_ASSIGN(const std::string bytes, read_file(path, uint64_t{2} << 30));
  BoundModel out;
  MAEIL_ASSIGN(out.model, model::parse_model_file(bytes, path, spec, static_cast<int>(settings.nhead)));
  if (out.model.preparation) return out;

  MAEIL_ASSIGN(const auto map, read_feature_map(features));
  out.reference = reference_or_empty.empty() ? settings.distribution_model : reference_or_empty;
  if (out.reference.empty()) {
    return usage_error(
        fmt::format("{} carries no preparation: name rows for its imputer and scaler with --reference (a "
                    ".pkl, .json or .csv) "
                    "or the setting DISTRIBUTION_MODEL",
                    path));
  }
  MAEIL_ASSIGN(const model::TabTransformer& network, model::as_tab_transformer(*out.model.predictor, path));
  const nn::Parameters& parameters = network.parameters();
  auto bound = prep::bind_features(
      map, parameters.shape.cardinalities, parameters.shape.numeric, spec,
      [&](const TableSink& sink) {
        return for_each_reference_chunk(out.reference, spec, sink, out.model.remarks);
      },
      out.report);
  if (!bound) return with_context(path, bound.error());
  out.model.preparation = std::move(*bound);
  MAEIL_ASSIGN(out.model.predictor, model::TabTransformer::make(parameters, nn::mean_embeddings(parameters)));
  auto unbound = store::Document::array();
  for (const auto& feature : out.report.unbound)
    unbound.push_back({{"feature", feature.feature}, {"cardinality", feature.cardinality}});
  out.model.notes["unbound"] = unbound;
  out.model.notes["reference"] = {{"source", std::filesystem::path(out.reference).filename().string()},
                                  {"rows", out.report.reference_rows},
                                  {"seed", kReferenceSeed}};
  return out;
}

Result<store::Document> import_model(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec, const std::string& path,
                                     const std::string& features, const std::string& reference) {
  MAEIL_ASSIGN(auto bound, read_bound_model(settings, spec, path, features, reference));
  const model::Predictor& predictor = *bound.model.predictor;
  const bool classifier = predictor.check_scores(path).has_value();
  registry::NewVersion version{
      .model_name = classifier ? registry::kClassifier : registry::kEncoder,
      .notes = fmt::format("imported from {}", std::filesystem::path(path).filename().string())};
  ByHand how{.act = "import", .from = std::filesystem::path(path).filename().string()};
  if (bound.model.notes.contains("unbound")) {
    how.more["unbound"] = bound.model.notes["unbound"];
    how.more["reference"] = bound.model.notes["reference"];
  }
  if (!bound.model.remarks.empty()) how.more["remarks"] = bound.model.remarks;
  return register_version(store, settings, bound.model, std::move(version), how);
}

Result<model::ModelFile> open_model(
    const std::function<Result<std::reference_wrapper<store::Store>>()>& store, const Settings& settings,
    const table::DatasetSpec& spec, const std::string& file_or_version, bool needs_preparation) {
  std::error_code error;
  if (std::filesystem::exists(file_or_version, error)) {
    if (!needs_preparation) {
      MAEIL_ASSIGN(const std::string bytes, read_file(file_or_version, uint64_t{2} << 30));
      return model::parse_model_file(bytes, file_or_version, spec, static_cast<int>(settings.nhead));
    }
    MAEIL_ASSIGN(auto bound, read_bound_model(settings, spec, file_or_version, "", ""));
    return std::move(bound.model);
  }
  if (file_or_version.find_first_of("/.") != std::string::npos)
    return not_found(fmt::format("the model file {} does not exist", file_or_version));
  MAEIL_ASSIGN(store::Store & opened, store());
  MAEIL_ASSIGN(const auto version, registry::find_version(opened, file_or_version));
  return registry::load_version(opened, version, spec, static_cast<int>(settings.nhead));
}

}  // namespace maeil::loop
