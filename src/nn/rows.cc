// Checks of coded rows and the embedding step.
#include "nn/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace maeil::nn {

Rows Rows::slice(const ModelShape& shape, size_t first, size_t rows) const {
  const size_t c = static_cast<size_t>(shape.categorical()), n = static_cast<size_t>(shape.numeric);
  return {codes.subspan(first * c, rows * c), numbers.subspan(first * n, rows * n), rows};
}

Rows RowBuffer::gather(const ModelShape& shape, const Rows& from, std::span<const uint32_t> picked) {
  const size_t c = static_cast<size_t>(shape.categorical()), n = static_cast<size_t>(shape.numeric);
  codes.resize(picked.size() * c);
  numbers.resize(picked.size() * n);
  for (size_t i = 0; i < picked.size(); ++i) {
    std::copy_n(from.codes.begin() + picked[i] * c, c, codes.begin() + i * c);
    std::copy_n(from.numbers.begin() + picked[i] * n, n, numbers.begin() + i * n);
  }
  return {codes, numbers, picked.size()};
}

Status check_rows(const ModelShape& shape, const Rows& rows) {
  const size_t c = static_cast<size_t>(shape.categorical()), n = static_cast<size_t>(shape.numeric);
  if (rows.codes.size() != rows.count * c || rows.numbers.size() != rows.count * n) {
    return bad_input(fmt::format("{} rows: {} codes and {} numbers, but the model reads {} and {} a row",
                                 rows.count, rows.codes.size(), rows.numbers.size(), c, n));
  }
  for (size_t i = 0; i < rows.codes.size(); ++i) {
    const int32_t code = rows.codes[i];
    if (code < -1 || code >= shape.cardinalities[i % c]) {
      return bad_input(fmt::format("row {}: code {} of categorical feature {} is outside its table of {}",
                                   i / c, code, i % c, shape.cardinalities[i % c]));
    }
  }
  for (size_t i = 0; i < rows.numbers.size(); ++i) {
    if (!std::isfinite(rows.numbers[i])) {
      return bad_input(fmt::format("row {}: numeric feature {} is not finite", i / n, i % n));
    }
  }
  return {};
}

Status check_labels(const ModelShape& shape, const LabelledRows& rows) {
  if (rows.labels.size() != rows.rows.count) {
    return bad_input(fmt::format("{} labels for {} rows", rows.labels.size(), rows.rows.count));
  }
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    if (rows.labels[i] < 0 || rows.labels[i] >= shape.classes) {
      return bad_input(
          fmt::format("row {}: label {} is none of the {} classes", i, rows.labels[i], shape.classes));
    }
  }
  return {};
}

std::vector<float> mean_embeddings(const Parameters& p) {
  const size_t width = static_cast<size_t>(p.shape.width);
  std::vector<float> means(p.shape.cardinalities.size() * width);
  for (int f = 0; f < p.shape.categorical(); ++f) {
    const float* table = p.values.data() + p.embedding(f);
    for (size_t d = 0; d < width; ++d) {
      double sum = 0;
      for (int row = 0; row < p.shape.cardinalities[f]; ++row) sum += table[row * width + d];
      means[f * width + d] = static_cast<float>(sum / p.shape.cardinalities[f]);
    }
  }
  return means;
}

Result<std::vector<float>> unknown_embeddings(const Parameters& p, std::span<const float> unknown) {
  if (unknown.empty()) return mean_embeddings(p);
  const size_t expected = p.shape.cardinalities.size() * p.shape.width;
  if (unknown.size() != expected) {
    return bad_input(fmt::format("{} values for the embeddings of unknown categories, expected {}",
                                 unknown.size(), expected));
  }
  for (size_t i = 0; i < unknown.size(); ++i) {
    if (std::isfinite(unknown[i])) continue;
    return bad_input(
        fmt::format("the embedding of unknown values of categorical feature {} is not finite at {}",
                    i / p.shape.width, i % p.shape.width));
  }
  return std::vector<float>(unknown.begin(), unknown.end());
}

void embed_row(const Parameters& p, std::span<const float> unknown, const int32_t* codes,
               const float* numbers, float* tokens) {
  const size_t width = static_cast<size_t>(p.shape.width);
  const float* values = p.values.data();
  for (int f = 0; f < p.shape.categorical(); ++f, tokens += width) {
    const float* row = codes[f] < 0 ? unknown.data() + f * width : values + p.embedding(f) + codes[f] * width;
    std::copy(row, row + width, tokens);
  }
  for (int i = 0; i < p.shape.numeric; ++i, tokens += width) {
    const float* weight = values + p.numeric_weight(i);
    const float* bias = values + p.numeric_bias(i);
    for (size_t d = 0; d < width; ++d) tokens[d] = weight[d] * numbers[i] + bias[d];
  }
}

}  // namespace maeil::nn
