#include "quality/privacy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "quality/even_choice.h"

namespace maeil::quality {
namespace {

// A missing value's place: farther than 1 from every other, at distance 0 of itself.
constexpr double kMissingPlace = 1e18;
// 64 x 256 distances are 128 KiB: they stay in the second-level cache while the columns go by.
constexpr size_t kFromBlock = 64, kToBlock = 256;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
};

// (C, rows): values scaled so that a column's part of the distance is min(|a - b|, 1).
std::vector<std::vector<double>> scaled(const Data& data, Side ColumnPair::* side,
                                        const std::vector<size_t>& rows, const std::vector<Range>& ranges) {
  std::vector<std::vector<double>> out(data.columns.size());
  parallel_for(out.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const auto& column = data.columns[c];
      const auto& values = column.*side;
      const double width = ranges[c].high - ranges[c].low;
      for (const auto row : rows) {
        if (column.kind == Kind::kDiscrete)
          out[c].push_back(values.codes[row] == kMissingCode ? kMissingPlace : values.codes[row]);
        else if (std::isnan(values.numbers[row]))
          out[c].push_back(kMissingPlace);
        else if (width > 0)
          out[c].push_back((values.numbers[row] - ranges[c].low) / width);
        // constant: any difference counts as 1
        else
          out[c].push_back((values.numbers[row] - ranges[c].low) * 1e300);
      }
    }
  });
  return out;
}

double median(std::vector<double> values) {
  if (values.empty()) return kNoScore;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<size_t> even_choice(size_t rows, size_t most) {
  const size_t kept = std::min(rows, most);
  std::vector<size_t> out;
  for (size_t k = 0; k < kept; ++k) out.push_back(chosen_row(k, rows, kept));
  return out;
}

}  // namespace

std::vector<double> closest_distances(const Data& data, Side ColumnPair::* from,
                                      const std::vector<size_t>& from_rows, Side ColumnPair::* to,
                                      const std::vector<size_t>& to_rows) {
  std::vector<Range> ranges(data.columns.size());
  for (size_t c = 0; c < ranges.size(); ++c) {
    if (data.columns[c].kind == Kind::kDiscrete) continue;
    for (const auto row : to_rows) {
      const double x = (data.columns[c].*to).numbers[row];
      if (!std::isnan(x))
        ranges[c].low = std::min(ranges[c].low, x), ranges[c].high = std::max(ranges[c].high, x);
    }
    if (ranges[c].low > ranges[c].high) ranges[c] = {0, 0};
  }
  const auto a = scaled(data, from, from_rows, ranges), b = scaled(data, to, to_rows, ranges);
  const bool same = from == to && from_rows == to_rows;
  const double columns = static_cast<double>(ranges.size());
  std::vector<double> out(from_rows.size(), std::numeric_limits<double>::infinity());
  parallel_for(from_rows.size(), kFromBlock, [&](size_t first, size_t last) {
    std::vector<double> sums((last - first) * kToBlock);
    for (size_t begin = 0; begin < to_rows.size(); begin += kToBlock) {
      const size_t width = std::min(kToBlock, to_rows.size() - begin);
      std::fill(sums.begin(), sums.end(), 0.0);
      for (size_t c = 0; c < a.size(); ++c) {
        const double* others = b[c].data() + begin;
        for (size_t i = first; i < last; ++i) {
          const double x = a[c][i];
          double* sum = sums.data() + (i - first) * kToBlock;
          for (size_t j = 0; j < width; ++j) sum[j] += std::min(std::abs(x - others[j]), 1.0);
        }
      }
      for (size_t i = first; i < last; ++i) {
        for (size_t j = 0; j < width; ++j) {
          if (same && i == begin + j) continue;
          out[i] = std::min(out[i], sums[(i - first) * kToBlock + j] / columns);
        }
      }
    }
  });
  return out;
}

Privacy measure_privacy(const Data& data) {
  const auto synthetic = even_choice(data.synthetic_rows, kPrivacyRows),
             real = even_choice(data.real_rows, kPrivacyRows),
             holdout = even_choice(data.holdout_rows, kPrivacyRows);
  Privacy out{.synthetic_rows = synthetic.size(), .real_rows = real.size(), .holdout_rows = holdout.size()};
  const auto to_real = closest_distances(data, &ColumnPair::synthetic, synthetic, &ColumnPair::real, real);
  out.median_to_real = median(to_real);
  out.copies = static_cast<double>(data.copies.synthetic) /
               static_cast<double>(std::max<size_t>(data.all_synthetic_rows, 1));
  out.median_to_holdout = out.median_real = out.real_copies = out.closer_to_real = out.protection = kNoScore;
  if (real.size() > 1) {
    const auto among_real = closest_distances(data, &ColumnPair::real, real, &ColumnPair::real, real);
    out.median_real = median(among_real);
    out.real_copies = static_cast<double>(data.copies.real) / static_cast<double>(data.all_real_rows);
  }
  if (!holdout.empty()) {
    const auto to_holdout =
        closest_distances(data, &ColumnPair::synthetic, synthetic, &ColumnPair::holdout, holdout);
    out.median_to_holdout = median(to_holdout);
    out.fair_rows = std::min(real.size(), holdout.size());
    const auto to = [&](Side ColumnPair::* side, const std::vector<size_t>& rows,
                        const std::vector<double>& known, size_t all) {
      return rows.size() == out.fair_rows ? known
                                          : closest_distances(data, &ColumnPair::synthetic, synthetic, side,
                                                              even_choice(all, out.fair_rows));
    };
    const auto fair_real = to(&ColumnPair::real, real, to_real, data.real_rows),
               fair_holdout = to(&ColumnPair::holdout, holdout, to_holdout, data.holdout_rows);
    size_t closer = 0;
    for (size_t i = 0; i < fair_real.size(); ++i) closer += fair_real[i] < fair_holdout[i];
    out.closer_to_real = static_cast<double>(closer) / static_cast<double>(fair_real.size());
    out.protection = std::min(1.0, 2 * (1 - out.closer_to_real));
  }
  return out;
}

}  // namespace maeil::quality
