// Feature by feature, each read in order; a category is looked up once for each dictionary entry of the
// chunk, not once a row.
#include "prep/transform.h"

#include <algorithm>
#include <limits>

#include "prep/columns.h"

namespace maeil::prep {
namespace {

int32_t code_of(const CategoricalFeature& feature, std::string_view text) {
  const auto found = std::lower_bound(feature.vocabulary.begin(), feature.vocabulary.end(), text);
  return found != feature.vocabulary.end() && *found == text
             ? static_cast<int32_t>(found - feature.vocabulary.begin())
             : kUnknownCode;
}

void add(std::vector<uint64_t>& total, const std::vector<uint64_t>& more) {
  total.resize(std::max(total.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) total[i] += more[i];
}

void transform_categories(const table::DatasetSpec& spec, const Preparation& preparation, const Table& chunk,
                          Prepared& out) {
  const size_t C = preparation.categorical.size();
  std::vector<int32_t> codes;
  for (size_t f = 0; f < C; ++f) {
    const auto& feature = preparation.categorical[f];
    const size_t at = column_index(spec, feature.column);
    const Column& column = chunk.columns[at];
    const auto& rules = spec.columns[at];
    const int32_t missing =
        code_of(feature, feature.null_flag ? std::string(kNull) : category_text(rules, kMissingText));
    int32_t* to = out.codes.data() + f;
    uint64_t unseen = 0;
    const auto put = [&](int32_t code) {
      *to = code;
      to += C;
      unseen += code == kUnknownCode;
    };
    if (feature.null_flag) {
      const int32_t present = code_of(feature, kNotNull);
      for (size_t row = 0; row < chunk.rows; ++row) put(column.is_missing(row) ? missing : present);
    } else {
      codes.clear();
      for (const auto& text : column.dictionary)
        codes.push_back(code_of(feature, category_text(rules, text)));
      for (const uint32_t code : column.codes) put(code == kMissing ? missing : codes[code]);
    }
    out.counts.unseen[f] = unseen;
  }
}

void transform_numbers(const table::DatasetSpec& spec, const Preparation& preparation, const Table& chunk,
                       Prepared& out) {
  const size_t N = preparation.numeric.size();
  std::vector<double> values;
  for (size_t f = 0; f < N; ++f) {
    const auto& feature = preparation.numeric[f];
    numeric_values(spec, chunk, feature.name, values);
    double* to = out.numbers.data() + f;
    uint64_t nulls = 0, out_of_range = 0;
    for (double x : values) {
      if (x != x) {
        ++nulls;
        if (!preparation.keep_missing) x = feature.most_frequent;
      } else {
        out_of_range += x < feature.low || x > feature.high;
      }
      *to = std::clamp((x - feature.median) / feature.iqr, -kLargestScaled, kLargestScaled);
      to += N;
    }
    out.counts.nulls[f] = nulls;
    out.counts.out_of_range[f] = out_of_range;
  }
}

}  // namespace

void add(Counts& total, const Counts& more) {
  add(total.unseen, more.unseen);
  add(total.nulls, more.nulls);
  add(total.out_of_range, more.out_of_range);
}

Prepared transform(const table::DatasetSpec& spec, const Preparation& preparation, const Table& chunk) {
  const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
  Prepared out;
  out.rows = chunk.rows;
  out.codes.resize(chunk.rows * C);
  out.numbers.resize(chunk.rows * N);
  out.labels.resize(chunk.rows);
  out.counts = {std::vector<uint64_t>(C), std::vector<uint64_t>(N), std::vector<uint64_t>(N)};
  transform_categories(spec, preparation, chunk, out);
  transform_numbers(spec, preparation, chunk, out);

  const Column& target = chunk.columns[column_index(spec, spec.target)];
  for (size_t row = 0; row < chunk.rows; ++row) {
    out.labels[row] = target.is_missing(row) ? -1 : target.text(row) == spec.positive ? 1 : 0;
  }
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    const auto& column = spec.columns[c];
    if (!column.keep_date) continue;
    std::vector<std::string> iso;
    for (const auto& text : chunk.columns[c].dictionary) {
      const auto date = readable_date(column, text);
      iso.push_back(date ? format_date(*date) : column.missing_date.value_or(""));
    }
    auto& kept = out.dates.emplace_back(Prepared::KeptDate{column.name, {}});
    kept.values.reserve(chunk.rows);
    for (size_t row = 0; row < chunk.rows; ++row) {
      kept.values.push_back(chunk.columns[c].is_missing(row) ? column.missing_date.value_or("")
                                                             : iso[chunk.columns[c].codes[row]]);
    }
  }
  return out;
}

}  // namespace maeil::prep
