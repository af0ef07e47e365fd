#include "loop/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "metrics/bootstrap.h"

namespace maeil::loop {
namespace {

store::Document number_or_null(const std::optional<double>& value) {
  return value ? store::Document(*value) : store::Document();
}

// Rows in the order of what they belong to: (unit, row).
std::vector<std::pair<uint64_t, size_t>> units_of(const Scores& scores) {
  std::vector<std::pair<uint64_t, size_t>> out;
  for (size_t i = 0; i < scores.labels.size(); ++i)
    out.emplace_back(scores.units.empty() ? i : scores.units[i], i);
  if (!scores.units.empty()) std::ranges::sort(out);
  return out;
}

std::string value_of(const prep::CategoricalFeature& feature, int32_t code) {
  const bool known = code >= 0 && static_cast<size_t>(code) < feature.vocabulary.size();
  return known ? feature.vocabulary[static_cast<size_t>(code)] : "(unknown)";
}

}  // namespace

Segments segments_of(const table::DatasetSpec& spec, const prep::Preparation& preparation) {
  Segments out;
  for (const auto& column : spec.columns) {
    if (!column.segment) continue;
    const auto found = std::ranges::find_if(preparation.categorical, [&](const auto& feature) {
      return !feature.null_flag && feature.column == column.name;
    });
    if (found == preparation.categorical.end())
      out.unknown.push_back(column.name);
    else
      out.features.push_back(static_cast<size_t>(found - preparation.categorical.begin()));
  }
  return out;
}

bool compares_attempts(const Day& day) {
  return day.settings.gate_rule == "lower_bound" ||
         std::ranges::any_of(day.spec.columns, &table::SpecColumn::segment);
}

store::Document compare(const Scores& scores, const Segments& segments, const prep::Preparation& preparation,
                        const registry::ModelVersion& champion, bool must_be_better, uint64_t seed) {
  const auto decisions_of = [&](size_t row) {
    return std::tuple(scores.labels[row] == 1, scores.probabilities[row] >= scores.threshold,
                      scores.champion[row] != 0);
  };
  const auto units = units_of(scores);
  std::vector<metrics::PairedDecisions> by_unit;
  metrics::PairedDecisions all;
  for (size_t i = 0; i < units.size(); ++i) {
    const auto [label, challenger, before] = decisions_of(units[i].second);
    if (i == 0 || units[i].first != units[i - 1].first) by_unit.emplace_back();
    by_unit.back().add(label, challenger, before);
    all.add(label, challenger, before);
  }
  const bool few = !scores.units.empty() && by_unit.size() < kLeastUnits;
  const auto interval = few ? std::nullopt : metrics::bootstrap_f1_difference(by_unit, seed);
  store::Document out = {
      {"champion_id", champion.id},
      {"champion_version", champion.version},
      {"must_be_better", must_be_better},
      {"rows", all.rows()},
      {"units", scores.units.empty() ? store::Document() : store::Document(by_unit.size())},
      {"positives", all.positives()},
      {"champion_f1_score", number_or_null(metrics::f1_score(all.second()))},
      {"f1_difference", number_or_null(metrics::f1_difference(all))},
      {"f1_difference_interval",
       interval ? store::Document::array({interval->low, interval->high}) : store::Document()},
      {"segments", store::Document::array()},
      {"small_segments", 0},
      {"unknown_segments", segments.unknown}};
  int64_t small = 0;
  for (size_t k = 0; k < segments.features.size(); ++k) {
    const auto& feature = preparation.categorical[segments.features[k]];
    std::map<std::string, metrics::PairedDecisions> by_value;
    for (size_t i = 0; i < scores.labels.size(); ++i) {
      const auto [label, challenger, before] = decisions_of(i);
      by_value[value_of(feature, scores.segments[k][i])].add(label, challenger, before);
    }
    for (const auto& [value, some] : by_value) {
      if (some.positives() < kLeastSegmentPositives) {
        ++small;
        continue;
      }
      out["segments"].push_back({{"column", feature.column},
                                 {"value", value},
                                 {"rows", some.rows()},
                                 {"positives", some.positives()},
                                 {"f1_score", number_or_null(metrics::f1_score(some.first()))},
                                 {"champion_f1_score", number_or_null(metrics::f1_score(some.second()))},
                                 {"f1_difference", number_or_null(metrics::f1_difference(some))}});
    }
  }
  out["small_segments"] = small;
  return out;
}

std::optional<std::string> reason_against(const store::Document& comparison, const Settings& settings) {
  const std::string champion = comparison.value("champion_version", "");
  if (comparison.value("must_be_better", false)) {
    const auto interval = comparison.value("f1_difference_interval", store::Document());
    if (!interval.is_array())
      return fmt::format("its F1 cannot be compared with that of version {} on {} positives{}", champion,
                         comparison.value("positives", int64_t{0}),
                         comparison.value("units", store::Document()).is_null()
                             ? ""
                             : fmt::format(" of {} groups or ids ({} are needed)",
                                           comparison["units"].get<int64_t>(), kLeastUnits));
    const double low = interval.at(0).get<double>(), high = interval.at(1).get<double>();
    if (low <= 0) {
      return fmt::format(
          "it is not shown to be better than version {}: F1 differs by {:+.4f} ({:+.4f} to {:+.4f}) on the "
          "same {} rows",
          champion, comparison.value("f1_difference", 0.0), low, high, comparison.value("rows", int64_t{0}));
    }
  }
  if (const auto unknown = comparison.value("unknown_segments", std::vector<std::string>());
      !unknown.empty()) {
    return fmt::format("the segment column '{}' is no feature of it, so that its segments cannot be compared",
                       fmt::join(unknown, "', '"));
  }
  const auto segments = comparison.value("segments", store::Document::array());
  const auto worst = std::ranges::min_element(
      segments, {}, [](const store::Document& one) { return one.at("f1_difference").get<double>(); });
  if (worst == segments.end()) return std::nullopt;
  const double loss = -worst->at("f1_difference").get<double>();
  if (loss <= settings.max_segment_loss) return std::nullopt;
  return fmt::format(
      "where {} is {} its F1 falls by {:.4f}, from {:.4f} to {:.4f} on {} positives (MAX_SEGMENT_LOSS {})",
      worst->value("column", ""), worst->value("value", ""), loss,
      worst->at("champion_f1_score").get<double>(), worst->at("f1_score").get<double>(),
      worst->value("positives", int64_t{0}), settings.max_segment_loss);
}

}  // namespace maeil::loop
