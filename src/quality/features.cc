#include "quality/features.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace maeil::quality {
namespace {

constexpr size_t kCuts = kMaxBins - 2;  // bin 0: missing; bins 1 .. kCuts + 1
constexpr double kPriorRows = 10;

// Cuts between values that are next to each other, at most kCuts, at even steps of the rows.
std::vector<double> quantile_cuts(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<double> out;
  for (size_t k = 1; k <= kCuts && !values.empty(); ++k) {
    size_t at = k * values.size() / (kCuts + 1);
    while (at < values.size() && at > 0 && values[at] == values[at - 1]) ++at;
    if (at == 0 || at >= values.size()) continue;
    const double cut = values[at - 1] + (values[at] - values[at - 1]) / 2;
    if (out.empty() || cut > out.back()) out.push_back(cut);
  }
  return out;
}

}  // namespace

Features::Features(const Data& data, const RowChoice& training, const std::vector<uint8_t>& labels,
                   size_t skip)
    : data_(data) {
  const double mean = static_cast<double>(std::accumulate(labels.begin(), labels.end(), size_t{0})) /
                      std::max<double>(1, static_cast<double>(labels.size()));
  for (size_t c = 0; c < data.columns.size(); ++c) {
    if (c == skip) continue;
    const auto& column = data.columns[c];
    const auto& side = column.*training.side;
    Column out{c, {}, {}};
    std::vector<double> values;
    if (column.kind == Kind::kContinuous) {
      for (const auto row : training.rows) {
        if (!std::isnan(side.numbers[row])) values.push_back(side.numbers[row]);
      }
    } else {
      std::vector<double> rows(column.categories.size() + 1), ones(rows.size());
      for (size_t i = 0; i < training.rows.size(); ++i) {
        const auto code = std::min<size_t>(side.codes[training.rows[i]], rows.size() - 1);
        ++rows[code], ones[code] += labels[i];
      }
      out.values.resize(rows.size());
      for (size_t k = 0; k < rows.size(); ++k)
        out.values[k] = (ones[k] + kPriorRows * mean) / (rows[k] + kPriorRows);
      for (const auto row : training.rows) {
        if (side.codes[row] != kMissingCode) values.push_back(out.values[side.codes[row]]);
      }
    }
    out.cuts = quantile_cuts(std::move(values));
    columns_.push_back(std::move(out));
  }
}

BinnedRows Features::bin(const RowChoice& choice) const {
  BinnedRows out;
  out.rows = choice.rows.size();
  for (const auto& column : columns_) {
    const auto& side = data_.columns[column.index].*choice.side;
    auto& bins = out.columns.emplace_back();
    bins.reserve(out.rows);
    for (const auto row : choice.rows) {
      const bool missing =
          column.values.empty() ? std::isnan(side.numbers[row]) : side.codes[row] == kMissingCode;
      const double value = missing                 ? 0
                           : column.values.empty() ? side.numbers[row]
                                                   : column.values[side.codes[row]];
      bins.push_back(missing ? 0
                             : static_cast<uint8_t>(
                                   1 + (std::lower_bound(column.cuts.begin(), column.cuts.end(), value) -
                                        column.cuts.begin())));
    }
  }
  return out;
}

}  // namespace maeil::quality
