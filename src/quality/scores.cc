// Columns are scored by sorting and counting; pairs in parallel, each by one pass over its rows.
#include "quality/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/threads.h"

namespace maeil::quality {
namespace {

constexpr size_t kBins = 10;
constexpr double kStrongCorrelation = 0.5, kStrongAssociation = 0.3;

std::vector<double> sorted_values(const std::vector<double>& numbers) {
  std::vector<double> out;
  out.reserve(numbers.size());
  for (const double x : numbers) {
    if (std::isnan(x)) continue;
    out.push_back(std::abs(x) < 1e290 ? std::nearbyint(x * 1e14) / 1e14 : x);
  }
  std::sort(out.begin(), out.end());
  return out;
}

double ks_complement(const ColumnPair& column) {
  const auto a = sorted_values(column.real.numbers), b = sorted_values(column.synthetic.numbers);
  if (a.empty() || b.empty()) return kNoScore;
  double distance = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == x) ++i;
    while (j < b.size() && b[j] == x) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / static_cast<double>(a.size()) -
                                           static_cast<double>(j) / static_cast<double>(b.size())));
  }
  return 1 - distance;
}

// A category that only the synthetic data has weighs 1e-6 rows in the real data, as in SDMetrics.
double tv_complement(const ColumnPair& column) {
  const auto count = [&](const Side& side) {
    std::vector<double> counts(column.categories.size());
    for (const auto code : side.codes) {
      if (code != kMissingCode) ++counts[code];
    }
    return counts;
  };
  auto real = count(column.real);
  const auto synthetic = count(column.synthetic);
  double real_rows = 0, synthetic_rows = 0;
  for (size_t k = 0; k < real.size(); ++k) real_rows += real[k], synthetic_rows += synthetic[k];
  if (real_rows == 0 || synthetic_rows == 0) return kNoScore;
  for (auto& n : real) {
    if (n == 0) n = 1e-6, real_rows += n;
  }
  double variation = 0;
  for (size_t k = 0; k < real.size(); ++k)
    variation += std::abs(real[k] / real_rows - synthetic[k] / synthetic_rows);
  return 1 - variation / 2;
}

// What a pair needs of one side of a column, made once.
struct Prepared {
  std::vector<uint32_t> codes;  // discrete: code + 1, missing 0. Continuous: the bin, 0 .. kBins + 1
  uint32_t code_count = 0;
  double mean = 0, squares = 0;  // continuous; squares: sum of (x - mean)^2
  bool constant = false, complete = false;
};

Prepared prepare(const ColumnPair& column, const Side& side, bool needs_codes) {
  Prepared out;
  if (column.kind == Kind::kDiscrete) {
    out.code_count = static_cast<uint32_t>(column.categories.size() + 1);
    out.codes.reserve(side.codes.size());
    for (const auto code : side.codes) out.codes.push_back(code + 1);  // kMissingCode wraps to 0
    return out;
  }
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0, rows = 0;
  for (const double x : side.numbers) {
    if (std::isnan(x)) continue;
    low = std::min(low, x), high = std::max(high, x), sum += x, ++rows;
  }
  out.constant = low == high;
  if (rows == 0) low = 0, high = 1;
  out.mean = rows > 0 ? sum / rows : 0;
  out.complete = rows == static_cast<double>(side.numbers.size());
  for (const double x : side.numbers) out.squares += (x - out.mean) * (x - out.mean);
  if (!needs_codes) return out;
  if (low == high) low -= 0.5, high += 0.5;
  std::vector<double> edges(kBins + 1);
  const double step = (high - low) / kBins;
  for (size_t k = 0; k < kBins; ++k) edges[k] = static_cast<double>(k) * step + low;
  edges[kBins] = high;
  out.code_count = kBins + 2;
  out.codes.reserve(side.numbers.size());
  for (const double x : side.numbers) {
    // numpy's digitize: edges that are not above x; a missing value falls into the last bin, with the
    // maximum.
    out.codes.push_back(std::isnan(x) ? kBins + 1
                                      : static_cast<uint32_t>(
                                            std::upper_bound(edges.begin(), edges.end(), x) - edges.begin()));
  }
  return out;
}

// Two columns without missing values: four sums side by side, so that the adds do not wait for each other.
double pearson_complete(const std::vector<double>& x, const Prepared& px, const std::vector<double>& y,
                        const Prepared& py) {
  if (x.size() < 2 || !(px.squares > 0) || !(py.squares > 0)) return kNoScore;
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= x.size(); i += 4) {
    for (size_t k = 0; k < 4; ++k) sums[k] += (x[i + k] - px.mean) * (y[i + k] - py.mean);
  }
  for (; i < x.size(); ++i) sums[0] += (x[i] - px.mean) * (y[i] - py.mean);
  return std::clamp((sums[0] + sums[1] + sums[2] + sums[3]) / std::sqrt(px.squares * py.squares), -1.0, 1.0);
}

double pearson(const std::vector<double>& x, const Prepared& px, const std::vector<double>& y,
               const Prepared& py) {
  if (px.complete && py.complete) return pearson_complete(x, px, y, py);
  double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double a = x[i] - px.mean, b = y[i] - py.mean;
    if (std::isnan(a + b)) continue;
    ++n, sx += a, sy += b, sxx += a * a, syy += b * b, sxy += a * b;
  }
  if (n < 2) return kNoScore;
  const double vx = sxx - sx * sx / n, vy = syy - sy * sy / n;
  if (!(vx > 0) || !(vy > 0)) return kNoScore;
  return std::clamp((sxy - sx * sy / n) / std::sqrt(vx * vy), -1.0, 1.0);
}

using Cells = std::vector<std::pair<uint64_t, double>>;  // cell of the table -> rows, in the cells' order

Cells count_cells(const Prepared& a, const Prepared& b) {
  const uint64_t size = uint64_t{a.code_count} * b.code_count;
  Cells out;
  if (size <= uint64_t{1} << 16) {
    std::vector<uint32_t> counts(size);
    for (size_t i = 0; i < a.codes.size(); ++i) ++counts[uint64_t{a.codes[i]} * b.code_count + b.codes[i]];
    for (uint64_t cell = 0; cell < size; ++cell) {
      if (counts[cell] > 0) out.emplace_back(cell, counts[cell]);
    }
    return out;
  }
  std::vector<uint64_t> cells(a.codes.size());
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = uint64_t{a.codes[i]} * b.code_count + b.codes[i];
  std::sort(cells.begin(), cells.end());
  for (const auto cell : cells) {
    if (out.empty() || out.back().first != cell) out.emplace_back(cell, 0);
    ++out.back().second;
  }
  return out;
}

// Cramér's V without bias correction; NaN when a side has one category only.
double cramers_v(const Cells& cells, uint64_t width) {
  std::unordered_map<uint64_t, double> first, second;
  for (const auto& [cell, n] : cells) first[cell / width] += n, second[cell % width] += n;
  const double freedom = static_cast<double>(std::min(first.size(), second.size())) - 1;
  if (freedom < 1) return kNoScore;
  double sum = 0;  // chi squared / rows + 1
  for (const auto& [cell, n] : cells) sum += n / first[cell / width] * n / second[cell % width];
  return std::sqrt(std::max(0.0, sum - 1) / freedom);
}

double contingency_similarity(const Cells& real, double real_rows, const Cells& synthetic,
                              double synthetic_rows) {
  double variation = 0;
  auto a = real.begin();
  auto b = synthetic.begin();
  while (a != real.end() || b != synthetic.end()) {
    double p = 0, q = 0;
    const bool take_a = b == synthetic.end() || (a != real.end() && a->first <= b->first);
    const bool take_b = a == real.end() || (b != synthetic.end() && b->first <= a->first);
    if (take_a) p = (a++)->second / real_rows;
    if (take_b) q = (b++)->second / synthetic_rows;
    variation += std::abs(p - q);
  }
  return 1 - variation / 2;
}

struct Mean {
  double sum = 0, count = 0;
  void add(double x) {
    if (!std::isnan(x)) sum += x, ++count;
  }
  double value() const { return count > 0 ? sum / count : kNoScore; }
};

double mean_of(double a, double b) {
  Mean mean;
  mean.add(a), mean.add(b);
  return mean.value();
}

}  // namespace

Scores score(const Data& data) {
  const auto& columns = data.columns;
  Scores out;
  out.columns.resize(columns.size());
  const bool mixed =
      std::any_of(columns.begin(), columns.end(), [](const auto& c) { return c.kind == Kind::kDiscrete; });
  std::vector<Prepared> real(columns.size()), synthetic(columns.size());
  parallel_for(columns.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const bool continuous = columns[c].kind == Kind::kContinuous;
      out.columns[c] = {columns[c].name, continuous ? "KSComplement" : "TVComplement",
                        continuous ? ks_complement(columns[c]) : tv_complement(columns[c])};
      real[c] = prepare(columns[c], columns[c].real, mixed);
      synthetic[c] = prepare(columns[c], columns[c].synthetic, mixed);
    }
  });
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = i + 1; j < columns.size(); ++j) {
      const bool correlation = columns[i].kind == Kind::kContinuous && columns[j].kind == Kind::kContinuous;
      out.pairs.push_back({i, j, correlation, kNoScore, kNoScore, false});
    }
  }
  parallel_for(out.pairs.size(), 1, [&](size_t first, size_t last) {
    for (size_t p = first; p < last; ++p) {
      auto& pair = out.pairs[p];
      const size_t i = pair.first, j = pair.second;
      if (pair.correlation) {
        if (real[i].constant || real[j].constant || synthetic[i].constant || synthetic[j].constant) continue;
        const double r = pearson(columns[i].real.numbers, real[i], columns[j].real.numbers, real[j]);
        const double s =
            pearson(columns[i].synthetic.numbers, synthetic[i], columns[j].synthetic.numbers, synthetic[j]);
        pair.score = 1 - std::abs(r - s) / 2;
        pair.strength = std::abs(r);
        pair.strong = pair.strength > kStrongCorrelation;
      } else {
        const auto a = count_cells(real[i], real[j]), b = count_cells(synthetic[i], synthetic[j]);
        const auto real_rows = static_cast<double>(data.real_rows),
                   synthetic_rows = static_cast<double>(data.synthetic_rows);
        pair.score = contingency_similarity(a, real_rows, b, synthetic_rows);
        pair.strength = cramers_v(a, real[j].code_count);
        pair.strong = pair.strength > kStrongAssociation;
      }
    }
  });
  Mean shapes, strong, all;
  for (const auto& column : out.columns) shapes.add(column.score);
  for (const auto& pair : out.pairs) {
    all.add(pair.score);
    if (pair.strong) strong.add(pair.score);
  }
  out.column_shapes = shapes.value();
  out.pair_trends = strong.value();
  out.pair_trends_all = all.value();
  out.overall = mean_of(out.column_shapes, out.pair_trends);
  out.overall_all = mean_of(out.column_shapes, out.pair_trends_all);
  return out;
}

}  // namespace maeil::quality
