#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "metrics/scored_rows.h"

namespace maeil::metrics {
namespace {

// The k/bins quantile of rows sorted by probability, as numpy.percentile has it.
double quantile_edge(std::span<const ScoredRow> sorted, uint64_t k, uint64_t bins) {
  const uint64_t place = k * (sorted.size() - 1), below = place / bins;
  if (place % bins == 0) return sorted[below].probability;
  const double share = static_cast<double>(place % bins) / static_cast<double>(bins);
  const double low = sorted[below].probability, width = sorted[below + 1].probability - low;
  return share < 0.5 ? low + width * share : sorted[below + 1].probability - width * (1 - share);
}

}  // namespace

Interval wilson_interval(int64_t positives, int64_t rows) {
  constexpr double z = 1.959963984540054;  // the 97.5 % quantile of the normal distribution
  const double n = static_cast<double>(rows), rate = static_cast<double>(positives) / n;
  const double middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  // Exactly 0 and 1 where the formula is, but for its rounding.
  return {positives == 0 ? 0 : middle - half, positives == rows ? 1 : middle + half};
}

Result<std::vector<ReliabilityBin>> reliability_table(std::span<const double> probabilities,
                                                      std::span<const uint8_t> labels, int bins) {
  MAEIL_TRY(check_scored_rows(probabilities, labels));
  if (bins < 1) return internal_error("metrics: a reliability table needs a bin");
  auto rows = by_falling_probability(probabilities, labels);
  std::ranges::reverse(rows);

  std::vector<ReliabilityBin> out;
  const auto count = static_cast<uint64_t>(bins);
  size_t row = 0;
  for (uint64_t k = 1; k <= count && row < rows.size(); ++k) {
    const double edge = k == count ? 1 : quantile_edge(rows, k, count);
    ReliabilityBin bin;
    double sum = 0;
    for (; row < rows.size() && rows[row].probability <= edge; ++row) {
      ++bin.rows;
      bin.positives += rows[row].label;
      sum += rows[row].probability;
    }
    if (bin.rows == 0) continue;
    bin.mean_probability = sum / static_cast<double>(bin.rows);
    bin.observed_rate = static_cast<double>(bin.positives) / static_cast<double>(bin.rows);
    bin.interval = wilson_interval(bin.positives, bin.rows);
    out.push_back(bin);
  }
  return out;
}

double expected_calibration_error(std::span<const ReliabilityBin> table) {
  double sum = 0, rows = 0;
  for (const auto& bin : table) {
    sum += static_cast<double>(bin.rows) * std::abs(bin.mean_probability - bin.observed_rate);
    rows += static_cast<double>(bin.rows);
  }
  return sum / rows;
}

}  // namespace maeil::metrics
