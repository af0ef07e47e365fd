#include "model/maeil_file.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "format/json.h"
#include "format/zip.h"
#include "model/boosted_trees.h"
#include "model/scorecard.h"

namespace maeil::model {
namespace {

constexpr const char kFacts[] = "facts.json";
constexpr int kFormatVersion = 1;

// The name of the model's entry; "": such files have no models of this family.
std::string entry_of(std::string_view family) {
  return family == kBoostedTrees ? "xgboost.json" : family == kScorecard ? "scorecard.json" : "";
}

Result<std::shared_ptr<const Predictor>> read_model(std::string_view family, std::string text,
                                                    const prep::Preparation& preparation) {
  if (family == kScorecard) return Scorecard::from_json(text, preparation);
  return BoostedTrees::from_json(std::move(text), preparation);
}

}  // namespace

Result<std::string> maeil_file_bytes(std::string_view family, const std::string& model,
                                     const FileFacts& facts) {
  const Json about = {
      {"format", "maeil"},
      {"format_version", kFormatVersion},
      {"family", family},
      {"sha256", sha256_hex(model)},
      {"preparation", prep::to_json(*facts.preparation)},
      {"decision", facts.decision},
      {"notes", facts.notes},
      {"finetuned_from", facts.finetuned_from ? Json(*facts.finetuned_from) : Json()},
      {"finetune_timestamp", facts.finetuned_from ? Json(format_instant(facts.when)) : Json()}};
  return format::write_stored_zip({{kFacts, about.dump(1)}, {entry_of(family), model}});
}

bool is_maeil_file(std::string_view bytes) {
  constexpr size_t kLocalHeader = 30;  // of a zip's entry, before its name
  return bytes.starts_with("PK\3\4") &&
         bytes.substr(std::min(bytes.size(), kLocalHeader)).starts_with(kFacts);
}

Result<ModelFile> parse_maeil_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec) {
  MAEIL_ASSIGN(const auto zip, format::ZipReader::open(bytes, file_name));
  const auto names = zip.names();
  if (names.size() != 2 || names[0] != kFacts || zip.declared() > bytes.size() ||
      (names[1] != entry_of(kBoostedTrees) && names[1] != entry_of(kScorecard)))
    return bad_input(
        fmt::format("{}: it is no model of maeil: it must have {} and {} or {}, not compressed, and nothing "
                    "else",
                    file_name, kFacts, entry_of(kBoostedTrees), entry_of(kScorecard)));
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
  const Json family = facts.value("family", Json());
  if (!family.is_string() || entry_of(family.get_ref<const std::string&>()).empty())
    return wrong("it is of a family that is not known");
  const std::string& name = family.get_ref<const std::string&>();
  const std::string entry = entry_of(name);
  if (names[1] != entry) return wrong(fmt::format("it is of a {}, and there is no {}", name, entry));
  MAEIL_ASSIGN(std::string content, zip.read(entry));
  if (facts.value("sha256", Json()) != sha256_hex(content))
    return bad_input(fmt::format(
        "{}: the bytes of {} do not match their sha256: restore a backup of the file", file_name, entry));
  ModelFile model;
  auto preparation = prep::from_json(facts.value("preparation", Json()), spec);
  if (!preparation) return with_context(file_name, preparation.error());
  model.preparation = std::move(*preparation);
  auto predictor = read_model(name, std::move(content), *model.preparation);
  if (!predictor) return with_context(fmt::format("{}: {}", file_name, entry), predictor.error());
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
