#include "prep/preparation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "base/hash.h"
#include "format/csv.h"
#include "table/spec_difference.h"

namespace maeil::prep {
namespace {

constexpr const char* kFlagSuffix = "_isnull";
constexpr int kMaxCardinality = 100'000'000;  // rows of an embedding; far above any file that fits a machine

Result<CategoricalFeature> categorical_from(const Json& json, const table::DatasetSpec& spec) {
  CategoricalFeature feature;
  feature.name = json.at("name").get<std::string>();
  feature.column = json.at("column").get<std::string>();
  if (!format::is_utf8(feature.name) || !format::is_utf8(feature.column))
    return bad_input("a categorical feature's name is not UTF-8");
  feature.null_flag = json.at("null_flag").get<bool>();
  feature.vocabulary = json.at("vocabulary").get<std::vector<std::string>>();
  const Json& cardinality = json.at("cardinality");
  const table::SpecColumn* column = spec.find(feature.column);
  if (!column) {
    return bad_input(
        fmt::format("categorical feature '{}' comes from column '{}', which dataset {} does not have",
                    feature.name, feature.column, spec.name));
  }
  if (!feature.null_flag && column->type != table::SpecType::kText) {
    return bad_input(fmt::format("categorical feature '{}' comes from column '{}', which is no text",
                                 feature.name, feature.column));
  }
  if (feature.column == spec.target)
    return bad_input(fmt::format("categorical feature '{}' is made from the target", feature.name));
  if (column->role)
    return bad_input(
        fmt::format("categorical feature '{}' is made from column '{}', which has a role in "
                    "dataset {} (id, group or time)",
                    feature.name, feature.column, spec.name));
  if (!cardinality.is_number_integer() || cardinality < 1 || cardinality > kMaxCardinality ||
      feature.vocabulary.size() > cardinality) {
    return bad_input(fmt::format("categorical feature '{}' has {} values and a cardinality of {}",
                                 feature.name, feature.vocabulary.size(),
                                 cardinality.dump(-1, ' ', true, Json::error_handler_t::replace)));
  }
  feature.cardinality = cardinality.get<int>();
  if (std::adjacent_find(feature.vocabulary.begin(), feature.vocabulary.end(), std::greater_equal<>()) !=
      feature.vocabulary.end()) {
    return bad_input(
        fmt::format("the vocabulary of '{}' is not in ascending order of code points", feature.name));
  }
  if (!std::all_of(feature.vocabulary.begin(), feature.vocabulary.end(), format::is_utf8)) {
    return bad_input(fmt::format("the vocabulary of '{}' is not UTF-8", feature.name));
  }
  return feature;
}

Result<NumericFeature> numeric_from(const Json& json, const table::DatasetSpec& spec) {
  NumericFeature feature{json.at("name").get<std::string>(), json.at("most_frequent").get<double>(),
                         json.at("median").get<double>(),    json.at("iqr").get<double>(),
                         json.at("low").get<double>(),       json.at("high").get<double>()};
  const auto* column = spec.find(feature.name);
  const bool known = (column && column->type == table::SpecType::kNumber) ||
                     std::any_of(spec.day_counts.begin(), spec.day_counts.end(),
                                 [&](const auto& d) { return d.name == feature.name; });
  if (!known)
    return bad_input(fmt::format("numeric feature '{}' is neither a number nor a day count of dataset {}",
                                 feature.name, spec.name));
  const bool finite = std::isfinite(feature.most_frequent) && std::isfinite(feature.median) &&
                      std::isfinite(feature.iqr) && std::isfinite(feature.low) && std::isfinite(feature.high);
  if (!finite || feature.iqr <= 0) {
    return bad_input(fmt::format("numeric feature '{}' has values that are no scale", feature.name));
  }
  return feature;
}

}  // namespace

Json to_json(const Preparation& preparation) {
  Json categorical = Json::array(), numeric = Json::array();
  for (const auto& f : preparation.categorical) {
    categorical.push_back({{"name", f.name},
                           {"column", f.column},
                           {"null_flag", f.null_flag},
                           {"vocabulary", f.vocabulary},
                           {"cardinality", f.cardinality}});
  }
  for (const auto& f : preparation.numeric) {
    numeric.push_back({{"name", f.name},
                       {"most_frequent", f.most_frequent},
                       {"median", f.median},
                       {"iqr", f.iqr},
                       {"low", f.low},
                       {"high", f.high}});
  }
  Json out = {{"dataset", preparation.dataset}, {"categorical", categorical}, {"numeric", numeric}};
  if (preparation.spec) out["dataset_spec"] = preparation.spec->text;
  if (preparation.keep_missing) out["keep_missing"] = true;
  return out;
}

Result<Preparation> from_json(const Json& json, const table::DatasetSpec& present) {
  try {
    Preparation out;
    out.dataset = json.at("dataset").get<std::string>();
    if (out.dataset != present.name) {
      return bad_input(
          fmt::format("the preparation is of dataset '{}', not '{}'", out.dataset, present.name));
    }
    if (json.contains("dataset_spec")) {
      MAEIL_ASSIGN(const auto trained, table::parse_dataset_spec(json.at("dataset_spec").get<std::string>(),
                                                                 "the dataset spec that the model carries"));
      out.spec = std::make_shared<const table::DatasetSpec>(table::spec_to_prepare_by(trained, present));
    }
    if (json.contains("keep_missing")) out.keep_missing = json.at("keep_missing").get<bool>();
    const table::DatasetSpec& spec = spec_of(out, present);
    for (const auto& item : json.at("categorical")) {
      MAEIL_ASSIGN(auto feature, categorical_from(item, spec));
      out.categorical.push_back(std::move(feature));
    }
    for (const auto& item : json.at("numeric")) {
      MAEIL_ASSIGN(auto feature, numeric_from(item, spec));
      out.numeric.push_back(std::move(feature));
    }
    std::set<std::string> names;
    for (const auto& f : out.categorical) {
      if (!names.insert(f.name).second)
        return bad_input(fmt::format("the preparation names the feature '{}' twice", f.name));
    }
    for (const auto& f : out.numeric) {
      if (!names.insert(f.name).second)
        return bad_input(fmt::format("the preparation names the feature '{}' twice", f.name));
    }
    return out;
  } catch (const nlohmann::json::exception& error) {
    return bad_input(fmt::format("the preparation is not as it should be: {}", error.what()));
  }
}

std::string feature_spec_hash(const Preparation& preparation) {
  return sha256_hex(to_json(preparation).dump());
}

Preparation unfitted(const table::DatasetSpec& spec) {
  Preparation out;
  out.dataset = spec.name;
  if (!spec.text.empty()) out.spec = std::make_shared<const table::DatasetSpec>(spec);
  for (const auto& column : spec.columns) {
    if (column.drop || column.role || column.name == spec.target) continue;
    if (column.type == table::SpecType::kText)
      out.categorical.push_back({column.name, column.name, false, {}, 0});
    if (column.type == table::SpecType::kNumber) out.numeric.push_back({.name = column.name});
  }
  for (const auto& column : spec.columns) {
    if (column.nullable && !column.role && column.name != spec.target)
      out.categorical.push_back({column.name + kFlagSuffix, column.name, true, {}, 0});
  }
  for (const auto& count : spec.day_counts) out.numeric.push_back({.name = count.name});
  return out;
}

}  // namespace maeil::prep
