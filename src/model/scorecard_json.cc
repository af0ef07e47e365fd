// A scorecard as JSON and back (docs/formats/maeil_file.md).
#include <fmt/format.h>

#include "format/json.h"
#include "model/scorecard.h"

namespace maeil::model {
namespace {

constexpr size_t kMostCategories = 1'000'000;  // of a feature

using Parsed = nlohmann::json;

Json bin_json(const Bin& bin) {
  return {{"rows", bin.counts.rows},
          {"events", bin.counts.events},
          {"weight_of_evidence", bin.weight_of_evidence}};
}

Json feature_json(const ScorecardFeature& feature, const std::string& name, bool categorical) {
  const Binning& binning = feature.binning;
  Json out = {{"feature", name}, {"information_value", information_value(binning)}};
  if (categorical) {
    std::vector<std::vector<size_t>> codes(binning.last());
    for (size_t code = 0; code < binning.of_code.size(); ++code)
      if (const size_t bin = binning.of_code[code]; bin < codes.size()) codes[bin].push_back(code);
    out["codes"] = codes;
  } else {
    out["bounds"] = binning.bounds;
  }
  out["bins"] = Json::array();
  for (const auto& bin : binning.bins) out["bins"].push_back(bin_json(bin));
  out["left_out"] = feature.left_out.empty() ? Json() : Json(feature.left_out);
  if (feature.left_out.empty())
    out.update({{"coefficient", feature.coefficient}, {"standard_error", feature.standard_error}});
  return out;
}

// The readers name a key of `place`, which is such as "feature 3 ('age')" or, of the whole, "".
Result<const Parsed*> member(const Parsed& json, const char* key, const std::string& place) {
  const std::string at = place.empty() ? "" : place + ": ";
  if (!json.is_object())
    return bad_input(fmt::format("{}an object with the key \"{}\" is expected", at, key));
  const auto found = json.find(key);
  if (found == json.end()) return bad_input(fmt::format("{}the key \"{}\" is missing", at, key));
  return &*found;
}

Result<double> number(const Parsed& json, const char* key, const std::string& place) {
  MAEIL_ASSIGN(const Parsed* value, member(json, key, place));
  if (!value->is_number()) return bad_input(fmt::format("{}: \"{}\" is no number", place, key));
  return value->get<double>();
}

Result<uint64_t> count(const Parsed& json, const char* key, const std::string& place) {
  MAEIL_ASSIGN(const Parsed* value, member(json, key, place));
  if (!value->is_number_unsigned())
    return bad_input(fmt::format("{}: \"{}\" is no whole number from 0 on", place, key));
  return value->get<uint64_t>();
}

Result<const Parsed*> list(const Parsed& json, const char* key, const std::string& place) {
  MAEIL_ASSIGN(const Parsed* value, member(json, key, place));
  if (!value->is_array()) return bad_input(fmt::format("{}: \"{}\" is no list", place, key));
  return value;
}

Result<ClassCounts> counts_in(const Parsed& json, const std::string& place) {
  ClassCounts out;
  MAEIL_ASSIGN(out.rows, count(json, "rows", place));
  MAEIL_ASSIGN(out.events, count(json, "events", place));
  return out;
}

Result<std::vector<Bin>> bins_in(const Parsed& json, const std::string& place) {
  MAEIL_ASSIGN(const Parsed* bins, list(json, "bins", place));
  if (bins->size() < 2 || bins->size() > UINT8_MAX)
    return bad_input(fmt::format("{}: {} bins, where there are 2 to {}", place, bins->size(), UINT8_MAX));
  std::vector<Bin> out;
  for (const auto& bin : *bins) {
    const std::string at = fmt::format("{}: bin {}", place, out.size());
    out.emplace_back();
    MAEIL_ASSIGN(out.back().counts, counts_in(bin, at));
    MAEIL_ASSIGN(out.back().weight_of_evidence, number(bin, "weight_of_evidence", at));
  }
  return out;
}

Status read_codes(const Parsed& json, const std::string& place, size_t cardinality, Binning& to) {
  MAEIL_ASSIGN(const Parsed* bins, list(json, "codes", place));
  if (bins->size() != to.last())
    return bad_input(fmt::format("{}: codes of {} bins, where {} have some", place, bins->size(), to.last()));
  // What is listed has words in a table, and a file of a few bytes must not take a gigabyte.
  if (cardinality > kMostCategories)
    return bad_input(
        fmt::format("{}: {} categories, of which there are {} at most", place, cardinality, kMostCategories));
  const auto none = static_cast<uint8_t>(to.last());
  to.of_code.assign(cardinality, none);
  for (size_t bin = 0; bin < bins->size(); ++bin) {
    if (!(*bins)[bin].is_array())
      return bad_input(fmt::format("{}: codes of bin {} are no list", place, bin));
    for (const auto& code : (*bins)[bin]) {
      if (!code.is_number_unsigned() || code.get<uint64_t>() >= cardinality)
        return bad_input(fmt::format("{}: bin {} has a code that is none of 0 to {}", place, bin,
                                     static_cast<int64_t>(cardinality) - 1));
      uint8_t& of = to.of_code[code.get<size_t>()];
      if (of != none) return bad_input(fmt::format("{}: code {} is there twice", place, code.get<size_t>()));
      of = static_cast<uint8_t>(bin);
    }
  }
  return {};
}

Status read_bounds(const Parsed& json, const std::string& place, Binning& to) {
  MAEIL_ASSIGN(const Parsed* bounds, list(json, "bounds", place));
  for (const auto& bound : *bounds) {
    if (!bound.is_number()) return bad_input(fmt::format("{}: a bound is no number", place));
    to.bounds.push_back(bound.get<float>());
  }
  return {};
}

}  // namespace

std::string Scorecard::to_json(const prep::Preparation& preparation) const {
  Json features = Json::array();
  for (size_t f = 0; f < parts_.features.size(); ++f)
    features.push_back(feature_json(
        parts_.features[f],
        f < categorical_ ? preparation.categorical[f].name : preparation.numeric[f - categorical_].name,
        f < categorical_));
  const Json out = {{"points",
                     {{"base_points", parts_.scale.base_points},
                      {"base_odds", parts_.scale.base_odds},
                      {"points_to_double_odds", parts_.scale.points_to_double}}},
                    {"learnt", {{"rows", parts_.learnt.rows}, {"events", parts_.learnt.events}}},
                    {"intercept", parts_.intercept},
                    {"intercept_standard_error", parts_.intercept_standard_error},
                    {"penalty", parts_.penalty},
                    {"features", features}};
  return out.dump(1);
}

Result<std::shared_ptr<const Scorecard>> Scorecard::from_json(const std::string& json,
                                                              const prep::Preparation& preparation) {
  MAEIL_ASSIGN(const auto parsed, parse_json<Parsed>(json, "the scorecard"));
  const size_t C = preparation.categorical.size();
  ScorecardParts parts;
  MAEIL_ASSIGN(const Parsed* points, member(parsed, "points", ""));
  MAEIL_ASSIGN(parts.scale.base_points, number(*points, "base_points", "points"));
  MAEIL_ASSIGN(parts.scale.base_odds, number(*points, "base_odds", "points"));
  MAEIL_ASSIGN(parts.scale.points_to_double, number(*points, "points_to_double_odds", "points"));
  MAEIL_ASSIGN(const Parsed* learnt, member(parsed, "learnt", ""));
  MAEIL_ASSIGN(parts.learnt, counts_in(*learnt, "learnt"));
  MAEIL_ASSIGN(parts.intercept, number(parsed, "intercept", "the scorecard"));
  MAEIL_ASSIGN(parts.intercept_standard_error, number(parsed, "intercept_standard_error", "the scorecard"));
  MAEIL_ASSIGN(parts.penalty, number(parsed, "penalty", "the scorecard"));
  MAEIL_ASSIGN(const Parsed* features, list(parsed, "features", "the scorecard"));
  if (features->size() != C + preparation.numeric.size())
    return bad_input(fmt::format("the scorecard has {} features, the preparation {}", features->size(),
                                 C + preparation.numeric.size()));
  for (size_t f = 0; f < features->size(); ++f) {
    const Parsed& from = (*features)[f];
    const std::string& name = f < C ? preparation.categorical[f].name : preparation.numeric[f - C].name;
    const std::string place = fmt::format("feature {} ('{}')", f, name);
    MAEIL_ASSIGN(const Parsed* called, member(from, "feature", place));
    if (*called != name) return bad_input(fmt::format("{}: it has another name in the scorecard", place));
    ScorecardFeature to;
    MAEIL_ASSIGN(to.binning.bins, bins_in(from, place));
    if (f < C)
      MAEIL_TRY(
          read_codes(from, place, static_cast<size_t>(preparation.categorical[f].cardinality), to.binning));
    else
      MAEIL_TRY(read_bounds(from, place, to.binning));
    MAEIL_ASSIGN(const Parsed* left_out, member(from, "left_out", place));
    if (left_out->is_string()) {
      to.left_out = left_out->get<std::string>();
    } else if (!left_out->is_null()) {
      return bad_input(fmt::format("{}: \"left_out\" is neither null nor a reason", place));
    } else {
      MAEIL_ASSIGN(to.coefficient, number(from, "coefficient", place));
      MAEIL_ASSIGN(to.standard_error, number(from, "standard_error", place));
    }
    parts.features.push_back(std::move(to));
  }
  return make(std::move(parts), preparation);
}

}  // namespace maeil::model
