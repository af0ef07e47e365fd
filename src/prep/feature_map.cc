#include "prep/feature_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "format/json.h"
#include "prep/fit.h"

namespace maeil::prep {
namespace {

Result<MappedFeature> read_feature(const Json& item, const std::string& file_name, size_t position) {
  const auto place = fmt::format("{}: categorical feature {}", file_name, position);
  if (!item.is_object()) return bad_input(fmt::format("{} is no object", place));
  for (const auto& [key, value] : item.items()) {
    if (key != "name" && key != "cardinality" && key != "vocabulary")
      return bad_input(fmt::format("{} has the unknown key '{}'", place, key));
  }
  MappedFeature feature;
  if (!item.contains("name") || !item["name"].is_string())
    return bad_input(fmt::format("{} has no name", place));
  feature.name = item["name"].get<std::string>();
  if (!item.contains("cardinality") || !item["cardinality"].is_number_integer() || item["cardinality"] < 1 ||
      item["cardinality"] > 100000000) {
    return bad_input(fmt::format("{} ('{}') needs a cardinality of at least 1", place, feature.name));
  }
  feature.cardinality = item["cardinality"].get<int>();
  if (!item.contains("vocabulary") || item["vocabulary"].is_null()) return feature;
  std::vector<std::string> vocabulary;
  if (!item["vocabulary"].is_array())
    return bad_input(fmt::format("{} ('{}'): the vocabulary is no list", place, feature.name));
  for (const auto& text : item["vocabulary"]) {
    if (!text.is_string())
      return bad_input(
          fmt::format("{} ('{}'): the vocabulary holds something else than texts", place, feature.name));
    vocabulary.push_back(text.get<std::string>());
  }
  if (vocabulary.size() != static_cast<size_t>(feature.cardinality)) {
    return bad_input(fmt::format("{} ('{}'): {} values, but a cardinality of {}", place, feature.name,
                                 vocabulary.size(), feature.cardinality));
  }
  for (size_t i = 1; i < vocabulary.size(); ++i) {
    if (vocabulary[i - 1] >= vocabulary[i]) {
      return bad_input(fmt::format("{} ('{}'): '{}' and '{}' are not in ascending order of code points",
                                   place, feature.name, vocabulary[i - 1], vocabulary[i]));
    }
  }
  feature.vocabulary = std::move(vocabulary);
  return feature;
}

}  // namespace

Result<FeatureMap> parse_feature_map(std::string_view text, const std::string& file_name) {
  MAEIL_ASSIGN(const Json json, parse_json<Json>(text, file_name));
  if (!json.is_object() || !json.contains("categorical") || !json["categorical"].is_array() ||
      !json.contains("numeric") || !json["numeric"].is_array()) {
    return bad_input(fmt::format(
        "{} is no feature map: a JSON object with the lists 'categorical' and 'numeric' is expected",
        file_name));
  }
  for (const auto& [key, value] : json.items()) {
    if (key != "categorical" && key != "numeric")
      return bad_input(fmt::format("{} has the unknown key '{}'", file_name, key));
  }
  FeatureMap map;
  std::set<std::string> names;
  for (size_t i = 0; i < json["categorical"].size(); ++i) {
    MAEIL_ASSIGN(auto feature, read_feature(json["categorical"][i], file_name, i));
    if (!names.insert(feature.name).second)
      return bad_input(fmt::format("{}: the feature '{}' is there twice", file_name, feature.name));
    map.categorical.push_back(std::move(feature));
  }
  for (const auto& name : json["numeric"]) {
    if (!name.is_string()) return bad_input(fmt::format("{}: a numeric feature is no text", file_name));
    map.numeric.push_back(name.get<std::string>());
    if (!names.insert(map.numeric.back()).second)
      return bad_input(fmt::format("{}: the feature '{}' is there twice", file_name, map.numeric.back()));
  }
  return map;
}

Result<Preparation> bind_features(
    const FeatureMap& map, const std::vector<int>& cardinalities, int numeric, const table::DatasetSpec& spec,
    const std::function<Status(const std::function<Status(const Table&)>&)>& for_each_chunk,
    BindReport& report) {
  if (map.categorical.size() != cardinalities.size() || map.numeric.size() != static_cast<size_t>(numeric)) {
    return bad_input(fmt::format(
        "the feature map names {} categorical and {} numeric features, the checkpoint has {} and {}",
        map.categorical.size(), map.numeric.size(), cardinalities.size(), numeric));
  }
  Fitter fitter(spec);
  MAEIL_TRY(for_each_chunk([&](const Table& chunk) -> Status {
    fitter.add(chunk);
    report.reference_rows += chunk.rows;
    return {};
  }));
  MAEIL_ASSIGN(const Preparation reference, fitter.fit());
  Preparation out;
  out.dataset = spec.name;
  for (size_t i = 0; i < map.categorical.size(); ++i) {
    const auto& mapped = map.categorical[i];
    if (mapped.cardinality != cardinalities[i]) {
      return bad_input(fmt::format("embedding {} has {} rows, but the feature map says '{}' has {} values", i,
                                   cardinalities[i], mapped.name, mapped.cardinality));
    }
    const auto known = std::find_if(reference.categorical.begin(), reference.categorical.end(),
                                    [&](const auto& f) { return f.name == mapped.name; });
    if (known == reference.categorical.end())
      return bad_input(
          fmt::format("the feature map names '{}', which dataset {} does not have", mapped.name, spec.name));
    out.categorical.push_back({mapped.name, known->column, known->null_flag,
                               mapped.vocabulary.value_or(std::vector<std::string>()), mapped.cardinality});
    if (!mapped.vocabulary) report.unbound.push_back({mapped.name, mapped.cardinality});
  }
  for (const auto& name : map.numeric) {
    const auto known = std::find_if(reference.numeric.begin(), reference.numeric.end(),
                                    [&](const auto& f) { return f.name == name; });
    if (known == reference.numeric.end())
      return bad_input(
          fmt::format("the feature map names '{}', which dataset {} does not have", name, spec.name));
    out.numeric.push_back(*known);
  }
  return out;
}

}  // namespace maeil::prep
