#include "model/scorecard_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace maeil::model {
namespace {

// The shortest number that is this float.
double shown(float bound) { return std::strtod(fmt::format("{}", bound).c_str(), nullptr); }

FeatureTable feature_table(const ScorecardParts& parts, size_t f, const prep::Preparation& preparation) {
  const size_t C = preparation.categorical.size();
  const auto& feature = parts.features[f];
  const Binning& binning = feature.binning;
  FeatureTable out;
  out.categorical = f < C;
  out.name = f < C ? preparation.categorical[f].name : preparation.numeric[f - C].name;
  out.left_out = feature.left_out;
  out.information_value = information_value(binning);
  if (out.left_out.empty()) out.estimate = wald_test(feature.coefficient, feature.standard_error);
  const ClassCounts all = counts_of(binning);
  for (size_t b = 0; b < binning.bins.size(); ++b) {
    const Bin& bin = binning.bins[b];
    BinLine line{.without = b == binning.last(),
                 .counts = bin.counts,
                 .share = static_cast<double>(bin.counts.rows) / static_cast<double>(all.rows),
                 .weight_of_evidence = bin.weight_of_evidence};
    if (bin.counts.rows > 0) {
      line.event_rate = static_cast<double>(bin.counts.events) / static_cast<double>(bin.counts.rows);
      if (!out.categorical || !line.without) line.information_value = information_value(bin.counts, all);
    }
    if (out.left_out.empty()) line.points = points_of(parts, feature, bin);
    if (!out.categorical && !line.without) {
      if (b > 0) line.from = shown(binning.bounds[b - 1]);
      if (b < binning.bounds.size()) line.below = shown(binning.bounds[b]);
    }
    out.bins.push_back(std::move(line));
  }
  if (out.categorical) {
    const auto& vocabulary = preparation.categorical[f].vocabulary;
    for (size_t code = 0; code < binning.of_code.size(); ++code)
      out.bins[binning.of_code[code]].values.push_back(
          code < vocabulary.size() ? vocabulary[code] : fmt::format("code {}", code));
  }
  return out;
}

}  // namespace

Estimate wald_test(double coefficient, double standard_error) {
  const double z = standard_error > 0 ? coefficient / standard_error : 0;
  return {coefficient, standard_error, z, std::erfc(std::abs(z) / std::sqrt(2))};
}

std::string describe(const BinLine& line, bool categorical, size_t most) {
  if (line.without && !categorical) return "missing";
  if (!categorical) {
    if (line.from && line.below) return fmt::format("{} to {}", *line.from, *line.below);
    return line.from    ? fmt::format("{} and above", *line.from)
           : line.below ? fmt::format("below {}", *line.below)
                        : "any number";
  }
  const size_t named = std::min(most, line.values.size());
  std::string out = fmt::format(
      "{}", fmt::join(line.values.begin(), line.values.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < line.values.size()) out += fmt::format(" and {} more", line.values.size() - named);
  return line.without ? out.empty() ? "never seen" : "never seen, as " + out : out;
}

ScorecardTable table_of(const Scorecard& scorecard, const prep::Preparation& preparation) {
  const ScorecardParts& parts = scorecard.parts();
  ScorecardTable out{.learnt = parts.learnt,
                     .intercept = wald_test(parts.intercept, parts.intercept_standard_error),
                     .penalty = parts.penalty,
                     .scale = parts.scale};
  for (size_t f = 0; f < parts.features.size(); ++f) {
    out.features.push_back(feature_table(parts, f, preparation));
    const auto& made = out.features.back();
    if (!made.estimate) continue;
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (const auto& bin : made.bins)
      least = std::min(least, *bin.points), most = std::max(most, *bin.points);
    out.least_points += least, out.most_points += most;
  }
  std::ranges::stable_sort(out.features, [](const FeatureTable& a, const FeatureTable& b) {
    if (a.left_out.empty() != b.left_out.empty()) return a.left_out.empty();
    return a.information_value > b.information_value;
  });
  return out;
}

}  // namespace maeil::model
