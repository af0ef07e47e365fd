#include "model/boosted_trees_file.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "format/json.h"
#include "format/zip.h"
#include "model/boosted_trees.h"

namespace maeil::model {
namespace {

constexpr const char kFacts[] = "facts.json", kTrees[] = "xgboost.json";
constexpr int kFormatVersion = 1;

}  // namespace

Result<std::string> BoostedTrees::file_bytes(const FileFacts& facts) const {
  if (!facts.preparation) return internal_error("boosted trees are not saved without their preparation");
  const Json about = {
      {"format", "maeil"},
      {"format_version", kFormatVersion},
      {"family", family()},
      {"sha256", sha256_hex(json_)},
      {"preparation", prep::to_json(*facts.preparation)},
      {"decision", facts.decision},
      {"notes", facts.notes},
      {"finetuned_from", facts.finetuned_from ? Json(*facts.finetuned_from) : Json()},
      {"finetune_timestamp", facts.finetuned_from ? Json(format_instant(facts.when)) : Json()}};
  return format::write_stored_zip({{kFacts, about.dump(1)}, {kTrees, json_}});
}

bool is_maeil_file(std::string_view bytes) {
  constexpr size_t kLocalHeader = 30;  // of a zip's entry, before its name
  return bytes.starts_with("PK\3\4") &&
         bytes.substr(std::min(bytes.size(), kLocalHeader)).starts_with(kFacts);
}

Result<ModelFile> parse_maeil_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec) {
  MAEIL_ASSIGN(const auto zip, format::ZipReader::open(bytes, file_name));
  if (zip.names() != std::vector<std::string>{kFacts, kTrees} || zip.declared() > bytes.size())
    return bad_input(
        fmt::format("{}: it is no model of maeil: it must have {} and {}, not compressed, and nothing else",
                    file_name, kFacts, kTrees));
  MAEIL_ASSIGN(const std::string text, zip.read(kFacts));
  const auto wrong = [&](const std::string& why) {
    return bad_input(fmt::format("{}: {}: {}", file_name, kFacts, why));
  };
  MAEIL_ASSIGN(const Json facts, parse_json<Json>(text, fmt::format("{}: {}", file_name, kFacts)));
  if (!facts.is_object()) return wrong("it is no JSON object");
  if (facts.value("format", Json()) != "maeil") return wrong("it is not of a model of maeil");
  if (facts.value("format_version", Json()) != kFormatVersion)
    return wrong(fmt::format("it was written by another version of maeil; this one reads format_version {}",
                             kFormatVersion));
  if (facts.value("family", Json()) != kBoostedTrees) return wrong("it is of a family that is not known");
  MAEIL_ASSIGN(std::string trees, zip.read(kTrees));
  if (facts.value("sha256", Json()) != sha256_hex(trees))
    return bad_input(fmt::format(
        "{}: the bytes of {} do not match their sha256: restore a backup of the file", file_name, kTrees));
  ModelFile model;
  auto preparation = prep::from_json(facts.value("preparation", Json()), spec);
  if (!preparation) return with_context(file_name, preparation.error());
  model.preparation = std::move(*preparation);
  auto predictor = BoostedTrees::from_json(std::move(trees), *model.preparation);
  if (!predictor) return with_context(fmt::format("{}: {}", file_name, kTrees), predictor.error());
  model.predictor = std::move(*predictor);
  if (const Json decision = facts.value("decision", Json()); !decision.is_null()) {
    auto read = decision_from_json(decision);
    if (!read) return with_context(file_name, read.error());
    model.decision = std::move(*read);
  }
  const auto notes = facts.find("notes");
  if (notes != facts.end() && notes->is_object()) model.notes = *notes;
  return model;
}

}  // namespace maeil::model
