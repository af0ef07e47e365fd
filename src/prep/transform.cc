// Columns are independent, so features are the parallel pieces; a category is looked up once for each dictionary
// entry of the chunk, not once a row.
#include "prep/transform.h"

#include <algorithm>
#include <limits>

#include "base/threads.h"
#include "prep/columns.h"

namespace maeil::prep {
namespace {

int32_t code_of(const CategoricalFeature& feature, std::string_view text) {
  const auto found = std::lower_bound(feature.vocabulary.begin(), feature.vocabulary.end(), text);
  return found != feature.vocabulary.end() && *found == text ? static_cast<int32_t>(found - feature.vocabulary.begin()) : kUnknownCode;
}

}  // namespace

Transformer::Transformer(const table::DatasetSpec& spec, const Preparation& preparation) : spec_(spec), preparation_(preparation) {
  counts_.unseen.resize(preparation.categorical.size());
  counts_.nulls.resize(preparation.numeric.size());
  counts_.out_of_range.resize(preparation.numeric.size());
}

Prepared Transformer::transform(const Table& chunk) {
  const size_t C = preparation_.categorical.size(), N = preparation_.numeric.size();
  Prepared out;
  out.rows = chunk.rows;
  out.codes.resize(chunk.rows * C);
  out.numbers.resize(chunk.rows * N);
  out.labels.resize(chunk.rows);

  parallel_for(C, 1, [&](size_t first, size_t last) {
    for (size_t f = first; f < last; ++f) {
      const auto& feature = preparation_.categorical[f];
      const size_t at = column_index(spec_, feature.column);
      const Column& column = chunk.columns[at];
      const auto& rules = spec_.columns[at];
      const int32_t missing = code_of(feature, feature.null_flag ? std::string(kNull) : category_text(rules, kMissingText));
      const int32_t present = feature.null_flag ? code_of(feature, kNotNull) : 0;
      std::vector<int32_t> codes;
      if (!feature.null_flag) {
        for (const auto& text : column.dictionary) codes.push_back(code_of(feature, category_text(rules, text)));
      }
      for (size_t row = 0; row < chunk.rows; ++row) {
        const int32_t code = column.is_missing(row) ? missing : feature.null_flag ? present : codes[column.codes[row]];
        out.codes[row * C + f] = code;
        counts_.unseen[f] += code == kUnknownCode;
      }
    }
  });

  parallel_for(N, 1, [&](size_t first, size_t last) {
    std::vector<double> values;
    for (size_t f = first; f < last; ++f) {
      const auto& feature = preparation_.numeric[f];
      numeric_values(spec_, chunk, feature.name, values);
      for (size_t row = 0; row < chunk.rows; ++row) {
        double x = values[row];
        if (x != x) {
          ++counts_.nulls[f];
          x = feature.most_frequent;
        } else if (x < feature.low || x > feature.high) {
          ++counts_.out_of_range[f];
        }
        out.numbers[row * N + f] = std::clamp((x - feature.median) / feature.iqr, -kLargestScaled, kLargestScaled);
      }
    }
  });

  const Column& target = chunk.columns[column_index(spec_, spec_.target)];
  for (size_t row = 0; row < chunk.rows; ++row) {
    out.labels[row] = target.is_missing(row) ? -1 : target.text(row) == spec_.positive ? 1 : 0;
  }
  for (size_t c = 0; c < spec_.columns.size(); ++c) {
    const auto& column = spec_.columns[c];
    if (!column.keep_date) continue;
    std::vector<std::string> iso;
    for (const auto& text : chunk.columns[c].dictionary) {
      const auto date = readable_date(text);
      iso.push_back(date ? format_date(*date) : column.missing_date.value_or(""));
    }
    auto& kept = out.dates.emplace_back(Prepared::KeptDate{column.name, {}});
    kept.values.reserve(chunk.rows);
    for (size_t row = 0; row < chunk.rows; ++row) {
      kept.values.push_back(chunk.columns[c].is_missing(row) ? column.missing_date.value_or("") : iso[chunk.columns[c].codes[row]]);
    }
  }
  return out;
}

}  // namespace maeil::prep
