#include "model/scorecard.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>

#include "base/threads.h"
#include "model/maeil_file.h"

namespace maeil::model {
namespace {

constexpr size_t kRowsOfAPiece = 2048;
// Far above what a fit gives, and no sum of 100,000 products of two of them is infinite.
constexpr double kLargestNumber = 1e6;
constexpr uint64_t kMostRows = uint64_t{1} << 53;

bool usable(double x) { return std::abs(x) <= kLargestNumber; }

// What is wrong with a feature's bins; "": nothing. `cardinality`: of a category; 0: it is a number.
std::string fault(const ScorecardFeature& feature, bool categorical, size_t cardinality) {
  const Binning& binning = feature.binning;
  if (binning.bins.size() < 2) return "it has no bins";
  if (categorical ? binning.of_code.size() != cardinality || !binning.bounds.empty()
                  : binning.bounds.size() + 2 != binning.bins.size() || !binning.of_code.empty())
    return "its bins are not those of its values";
  for (const uint8_t bin : binning.of_code)
    if (bin >= binning.bins.size()) return "a category has a bin that there is not";
  for (size_t i = 0; i < binning.bounds.size(); ++i) {
    if (!std::isfinite(binning.bounds[i])) return fmt::format("bound {} is not finite", i);
    if (i > 0 && !(binning.bounds[i] > binning.bounds[i - 1])) return "its bounds do not ascend";
  }
  for (size_t i = 0; i < binning.bins.size(); ++i) {
    const Bin& bin = binning.bins[i];
    if (!usable(bin.weight_of_evidence)) return fmt::format("bin {} has no usable WoE", i);
    if (bin.counts.rows > kMostRows || bin.counts.events > bin.counts.rows)
      return fmt::format("bin {} has {} events in {} rows", i, bin.counts.events, bin.counts.rows);
  }
  if (!usable(feature.coefficient) || !usable(feature.standard_error) || feature.standard_error < 0)
    return "its coefficient or the standard error is no usable number";
  if (!feature.left_out.empty() && feature.coefficient != 0) return "it is left out and has a coefficient";
  return "";
}

}  // namespace

Scorecard::Scorecard(ScorecardParts parts, size_t categorical)
    : parts_(std::move(parts)), categorical_(categorical) {
  for (size_t f = 0; f < parts_.features.size(); ++f) {
    const auto& feature = parts_.features[f];
    if (!feature.left_out.empty()) continue;
    used_.push_back({f, {}});
    for (const auto& bin : feature.binning.bins)
      used_.back().adds.push_back(feature.coefficient * bin.weight_of_evidence);
  }
}

Result<std::shared_ptr<const Scorecard>> Scorecard::make(ScorecardParts parts,
                                                         const prep::Preparation& preparation) {
  const size_t C = preparation.categorical.size(), F = C + preparation.numeric.size();
  if (parts.features.size() != F)
    return bad_input(
        fmt::format("the scorecard has {} features, the preparation {}", parts.features.size(), F));
  for (size_t f = 0; f < F; ++f) {
    const std::string& name = f < C ? preparation.categorical[f].name : preparation.numeric[f - C].name;
    const size_t cardinality = f < C ? static_cast<size_t>(preparation.categorical[f].cardinality) : 0;
    std::string wrong = fault(parts.features[f], f < C, cardinality);
    if (wrong.empty()) {
      const ClassCounts counts = counts_of(parts.features[f].binning);
      if (counts.events == 0 || counts.events == counts.rows) wrong = "its rows are of one class";
      if (counts != counts_of(parts.features[0].binning)) wrong = "its bins have other rows than feature 0's";
    }
    if (!wrong.empty()) return bad_input(fmt::format("feature {} ('{}'): {}", f, name, wrong));
  }
  const PointScale& scale = parts.scale;
  if (!usable(scale.base_points) || !usable(scale.base_odds) || !usable(scale.points_to_double) ||
      !(scale.base_odds >= 1 / kLargestNumber) || !(scale.points_to_double >= 1 / kLargestNumber))
    return bad_input("the points' scale is none: odds and the points that double them are above 0");
  if (!usable(parts.intercept) || !usable(parts.intercept_standard_error) ||
      parts.intercept_standard_error < 0 || !usable(parts.penalty) || parts.penalty < 0)
    return bad_input("the intercept, its standard error or the penalty is no usable number");
  if (used_features(parts) == 0) return bad_input("no feature has a part in the score");
  return std::shared_ptr<const Scorecard>(new Scorecard(std::move(parts), C));
}

Json Scorecard::hyperparameters() const {
  size_t bins = 0;
  for (const auto& part : used_) bins += part.adds.size() - 1;
  return {{"features_used", used_.size()},
          {"bins", bins},
          {"base_points", parts_.scale.base_points},
          {"base_odds", parts_.scale.base_odds},
          {"points_to_double_odds", parts_.scale.points_to_double}};
}

Status Scorecard::check_rows(const nn::Rows& rows) const {
  const size_t C = categorical_, F = parts_.features.size(), N = F - C;
  if (rows.codes.size() != rows.count * C || rows.numbers.size() != rows.count * N)
    return internal_error(fmt::format("{} codes and {} numbers are not {} rows of {} and {}",
                                      rows.codes.size(), rows.numbers.size(), rows.count, C, N));
  const auto is_code = [&](size_t row, size_t f) {
    const int32_t code = rows.codes[row * C + f];
    return code < 0 ? code == -1 : static_cast<size_t>(code) < parts_.features[f].binning.of_code.size();
  };
  std::atomic<size_t> wrong{SIZE_MAX};  // the first row that cannot be read
  parallel_for(rows.count, kRowsOfAPiece, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      bool good = true;
      for (size_t f = 0; f < C; ++f) good &= is_code(row, f);
      for (size_t f = 0; f < N; ++f) good &= !std::isinf(rows.numbers[row * N + f]);
      if (good) continue;
      for (size_t seen = wrong; row < seen && !wrong.compare_exchange_weak(seen, row);) {
      }
      return;
    }
  });
  if (wrong == SIZE_MAX) return {};
  const size_t row = wrong;
  for (size_t f = 0; f < C; ++f)
    if (!is_code(row, f))
      return bad_input(fmt::format("row {}: code {} of categorical feature {}, which has {} values", row,
                                   rows.codes[row * C + f], f, parts_.features[f].binning.of_code.size()));
  size_t f = 0;
  while (!std::isinf(rows.numbers[row * N + f])) ++f;
  return bad_input(fmt::format("row {}: numeric feature {} is infinite", row, f));
}

inline size_t Scorecard::bin_in_row(const nn::Rows& rows, size_t row, size_t feature) const {
  const Binning& binning = parts_.features[feature].binning;
  const size_t C = categorical_, N = parts_.features.size() - C;
  return feature < C ? bin_of(binning, rows.codes[row * C + feature])
                     : bin_of(binning, rows.numbers[row * N + feature - C]);
}

Result<std::vector<double>> Scorecard::probabilities(const nn::Rows& rows) const {
  MAEIL_TRY(check_rows(rows));
  std::vector<double> out(rows.count);
  parallel_for(rows.count, kRowsOfAPiece, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      double log_odds = parts_.intercept;
      for (const auto& part : used_) log_odds += part.adds[bin_in_row(rows, row, part.feature)];
      out[row] = 1 / (1 + std::exp(-log_odds));
    }
  });
  return out;
}

Result<Contributions> Scorecard::contributions(const nn::Rows& rows) const {
  MAEIL_TRY(check_rows(rows));
  const size_t F = parts_.features.size();
  Contributions out{F, std::vector<double>(rows.count * F), parts_.intercept};
  std::vector<double> means;  // of used_, in log odds
  for (const auto& part : used_) {
    const auto& feature = parts_.features[part.feature];
    means.push_back(feature.coefficient * mean_weight_of_evidence(feature.binning));
    out.base += means.back();
  }
  parallel_for(rows.count, kRowsOfAPiece, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row)
      for (size_t k = 0; k < used_.size(); ++k)
        out.values[row * F + used_[k].feature] =
            used_[k].adds[bin_in_row(rows, row, used_[k].feature)] - means[k];
  });
  return out;
}

Result<std::string> Scorecard::file_bytes(const FileFacts& facts) const {
  if (!facts.preparation) return internal_error("a scorecard is not saved without its preparation");
  return maeil_file_bytes(family(), to_json(*facts.preparation), facts);
}

size_t used_features(const ScorecardParts& parts) {
  size_t out = 0;
  for (const auto& feature : parts.features) out += feature.left_out.empty();
  return out;
}

double points_of(const ScorecardParts& parts, const ScorecardFeature& feature, const Bin& bin) {
  const auto n = static_cast<double>(used_features(parts));
  const double factor = parts.scale.points_to_double / std::log(2);
  const double offset = parts.scale.base_points - factor * std::log(parts.scale.base_odds);
  return -(feature.coefficient * bin.weight_of_evidence + parts.intercept / n) * factor + offset / n;
}

}  // namespace maeil::model
