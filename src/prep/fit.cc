#include "prep/fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "prep/columns.h"

namespace maeil::prep {
namespace {

// numpy.percentile's linear interpolation, which counts from the nearer end.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const double share = place - static_cast<double>(below);
  const double a = sorted[below], b = sorted[std::min(below + 1, sorted.size() - 1)];
  return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share;
}

}  // namespace

NumericFeature fit_numeric(std::string name, std::vector<double>& values) {
  NumericFeature out{.name = std::move(name)};
  const auto present = std::partition(values.begin(), values.end(), [](double x) { return x == x; });
  const size_t missing = static_cast<size_t>(values.end() - present);
  values.erase(present, values.end());
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.low = values.front();
  out.high = values.back();
  size_t most = 0;
  for (size_t first = 0, last; first < values.size(); first = last) {
    last = first;
    while (last < values.size() && values[last] == values[first]) ++last;
    if (last - first > most) {
      most = last - first;
      out.most_frequent = values[first];
    }
  }
  if (out.most_frequent == 0) out.most_frequent = 0;  // -0.0 and 0.0 are one value
  values.insert(std::upper_bound(values.begin(), values.end(), out.most_frequent), missing,
                out.most_frequent);
  const size_t middle = values.size() / 2;
  out.median = values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  const double iqr = quantile(values, 0.75) - quantile(values, 0.25);
  // scikit-learn's rule: a scale below 10 epsilon counts as constant.
  out.iqr = iqr < 10 * std::numeric_limits<double>::epsilon() ? 1 : iqr;
  return out;
}

Fitter::Fitter(const table::DatasetSpec& spec)
    : spec_(spec),
      preparation_(unfitted(spec)),
      texts_(preparation_.categorical.size()),
      values_(preparation_.numeric.size()) {}

void Fitter::add(const Table& chunk) {
  rows_ += chunk.rows;
  parallel_for(texts_.size(), 1, [&](size_t first, size_t last) {
    for (size_t f = first; f < last; ++f) {
      const auto& feature = preparation_.categorical[f];
      const size_t at = column_index(spec_, feature.column);
      const Column& column = chunk.columns[at];
      auto& found = texts_[f];
      if (feature.null_flag) {
        // A day on which nothing is missing fits the same model as another; only a column that is null in
        // every row has one value.
        found.emplace(kNull);
        bool present = false;
        for (size_t row = 0; row < chunk.rows && !present; ++row) present = !column.is_missing(row);
        if (present) found.emplace(kNotNull);
      } else {
        const auto& rules = spec_.columns[at];
        for (const auto& text : column.dictionary) found.insert(category_text(rules, text));
        const bool missing =
            std::find(column.codes.begin(), column.codes.end(), kMissing) != column.codes.end();
        if (missing) found.insert(category_text(rules, kMissingText));
      }
    }
  });
  parallel_for(values_.size(), 1, [&](size_t first, size_t last) {
    std::vector<double> chunk_values;
    for (size_t f = first; f < last; ++f) {
      numeric_values(spec_, chunk, preparation_.numeric[f].name, chunk_values);
      values_[f].insert(values_[f].end(), chunk_values.begin(), chunk_values.end());
    }
  });
}

Result<Preparation> Fitter::fit() {
  if (rows_ == 0) return bad_input("there are no rows to fit a preparation on");
  parallel_for(values_.size(), 1, [&](size_t first, size_t last) {
    for (size_t f = first; f < last; ++f) {
      preparation_.numeric[f] = fit_numeric(preparation_.numeric[f].name, values_[f]);
      values_[f] = {};
    }
  });
  for (size_t f = 0; f < texts_.size(); ++f) {
    auto& vocabulary = preparation_.categorical[f].vocabulary;
    vocabulary.assign(texts_[f].begin(), texts_[f].end());
    texts_[f] = {};
    std::sort(vocabulary.begin(), vocabulary.end());
    preparation_.categorical[f].cardinality = static_cast<int>(preparation_.categorical[f].vocabulary.size());
  }
  return std::move(preparation_);
}

}  // namespace maeil::prep
