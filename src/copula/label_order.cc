#include "copula/label_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "copula/column_fit.h"

namespace maeil::copula {

using Matrix = Eigen::MatrixXf;

Matrix reference_features(const Table& all, const std::vector<uint32_t>& sample) {
  std::vector<Eigen::VectorXf> features;
  const auto push = [&](Eigen::VectorXf feature) {
    feature.array() -= feature.mean();
    const float norm = feature.norm();
    if (norm > 1e-6f) features.push_back(feature / norm * std::sqrt(static_cast<float>(sample.size())));
  };
  for (const Column& column : all.columns) {
    const auto n = static_cast<Eigen::Index>(sample.size());
    if (column.type == ColumnType::kText) {
      if (column.dictionary.size() > 32) continue;
      for (size_t k = 0; k < column.dictionary.size(); ++k) {
        Eigen::VectorXf flag(n);
        for (Eigen::Index i = 0; i < n; ++i) flag(i) = column.codes[sample[static_cast<size_t>(i)]] == k;
        push(std::move(flag));
      }
      continue;
    }
    std::vector<double> present;
    for (const uint32_t row : sample) {
      if (!column.is_missing(row)) present.push_back(column.numbers[row]);
    }
    const NumberFit fit = fit_number(std::move(present), MarginalChoice::kEmpirical);
    Eigen::VectorXf score = Eigen::VectorXf::Zero(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const double x = column.numbers[sample[static_cast<size_t>(i)]];
      if (x == x) score(i) = static_cast<float>(score_of_value(fit, x));
    }
    push(std::move(score));
  }
  Matrix out(static_cast<Eigen::Index>(sample.size()), static_cast<Eigen::Index>(features.size()));
  for (size_t f = 0; f < features.size(); ++f) out.col(static_cast<Eigen::Index>(f)) = features[f];
  return out;
}

std::vector<uint32_t> order_labels(const Column& column, bool date,
                                   const std::optional<table::DateFormat>& format,
                                   const std::vector<uint32_t>& sample, const Matrix& reference) {
  const size_t K = column.dictionary.size();
  std::vector<uint32_t> order(K);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<double> key(K, 0);
  if (date) {
    for (size_t k = 0; k < K; ++k) {
      key[k] =
          table::read_date(column.dictionary[k], format).value_or(-std::numeric_limits<double>::infinity());
    }
  } else if (K > 2 && reference.cols() > 0) {
    // Only labels of the sample have a mean: as many rows as it has at most, where an id column has as many
    // labels as the file rows.
    constexpr Eigen::Index kNotSeen = -1;
    std::vector<Eigen::Index> place(K, kNotSeen);
    Eigen::Index seen = 0;
    for (const uint32_t row : sample) {
      const uint32_t code = column.codes[row];
      if (code != kMissing && place[code] == kNotSeen) place[code] = seen++;
    }
    Matrix means = Matrix::Zero(seen, reference.cols());
    Eigen::VectorXf count = Eigen::VectorXf::Zero(seen);
    for (Eigen::Index f = 0; f < reference.cols(); ++f) {
      for (size_t i = 0; i < sample.size(); ++i) {
        const uint32_t code = column.codes[sample[i]];
        if (code == kMissing) continue;
        means(place[code], f) += reference(static_cast<Eigen::Index>(i), f);
        if (f == 0) count(place[code]) += 1;
      }
    }
    // Around the mean of the rows that have a label: else what these have in common against the rows without
    // one, which says nothing of the labels, would be the first axis of a column that is often missing.
    means -= count * (means.colwise().sum() / std::max(count.sum(), 1.0f)).eval();
    const Eigen::VectorXf weight = count.cwiseMax(1).cwiseSqrt();
    means.array().colwise() *= weight.cwiseInverse().array();  // sqrt(n_k) * mean
    Eigen::VectorXf axis = Eigen::VectorXf::LinSpaced(reference.cols(), 1, 2);
    for (int step = 0; step < 30; ++step) {
      axis = (means.transpose() * (means * axis)).eval();
      const float norm = axis.norm();
      if (!(norm > 0)) break;
      axis /= norm;
    }
    const Eigen::VectorXf found = weight.cwiseInverse().asDiagonal() * (means * axis);
    for (size_t k = 0; k < K; ++k) {
      if (place[k] != kNotSeen) key[k] = found(place[k]);
    }
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return key[a] != key[b] ? key[a] < key[b] : column.dictionary[a] < column.dictionary[b];
  });
  return order;
}

}  // namespace maeil::copula
