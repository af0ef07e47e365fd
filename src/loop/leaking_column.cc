#include "loop/leaking_column.h"

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "metrics/classification.h"

namespace maeil::loop {
namespace {

double area(const std::vector<double>& scores, const std::vector<uint8_t>& labels) {
  const auto metrics = metrics::classification_metrics(scores, labels);
  return metrics && metrics->roc_auc ? *metrics->roc_auc : 0.5;
}

// Ranks in [0, 1], equal where the values are; `missing` stands for NaN.
std::vector<double> ranks(const std::vector<double>& values, double missing) {
  std::vector<double> sorted = values;
  for (double& x : sorted) x = std::isnan(x) ? missing : x;
  std::vector<double> out = sorted;
  std::sort(sorted.begin(), sorted.end());
  for (double& x : out) {
    const auto rank = std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin();
    x = static_cast<double>(rank) / static_cast<double>(sorted.size());
  }
  return out;
}

double by_value(const ColumnSample& column, const std::vector<uint8_t>& labels) {
  double best = 0.5;
  constexpr double kEnd = std::numeric_limits<double>::infinity();
  for (const double missing : {-kEnd, kEnd}) {
    const double auc = area(ranks(column.values, missing), labels);
    best = std::max({best, auc, 1 - auc});
  }
  return best;
}

// Every other row of a class learns, the others are told.
double by_rate(const ColumnSample& column, const std::vector<uint8_t>& labels) {
  struct Rate {
    double rows = 0, positives = 0;
  };
  boost::unordered_flat_map<uint64_t, Rate> rates[2];
  std::vector<uint8_t> half(labels.size());
  size_t seen[2] = {0, 0};
  const auto key = [&](size_t i) {
    const double x = column.values[i];
    return std::bit_cast<uint64_t>(std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x + 0.0);
  };
  for (size_t i = 0; i < labels.size(); ++i) {
    half[i] = seen[labels[i]]++ % 2;
    Rate& rate = rates[half[i]][key(i)];
    ++rate.rows;
    rate.positives += labels[i];
  }
  double sum = 0;
  for (const uint8_t told : {0, 1}) {
    std::vector<double> scores;
    std::vector<uint8_t> truth;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (half[i] != told) continue;
      const auto found = rates[1 - told].find(key(i));
      scores.push_back(found == rates[1 - told].end() ? 0.5 : found->second.positives / found->second.rows);
      truth.push_back(labels[i]);
    }
    sum += area(scores, truth);
  }
  return sum / 2;
}

}  // namespace

std::optional<double> separation(const ColumnSample& column, const std::vector<uint8_t>& labels) {
  const auto positives = static_cast<size_t>(std::count(labels.begin(), labels.end(), uint8_t{1}));
  if (positives < kLeakRows || labels.size() - positives < kLeakRows) return std::nullopt;
  double out = column.ordered ? by_value(column, labels) : 0.5;
  std::set<double> different;
  for (size_t i = 0; column.ordered && i < labels.size() && different.size() <= kMostCategories; ++i) {
    if (!std::isnan(column.values[i])) different.insert(column.values[i]);
  }
  if (!column.ordered || different.size() <= kMostCategories) out = std::max(out, by_rate(column, labels));
  return out;
}

}  // namespace maeil::loop
