#include "copula/fit.h"

#include <Eigen/Core>
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <numeric>

#include "base/philox.h"
#include "base/threads.h"

namespace maeil::copula {
namespace {

// The normal score of u, kept as far from the ends as one part in 10^12.
double score_of(double u) { return normal_quantile(std::clamp(u, 1e-12, 1 - 1e-12)); }

// Decimal places (at most 14, as rdt) that all values need; nullopt when 14 do not suffice.
std::optional<int> learn_digits(const std::vector<double>& values) {
  for (int digits = 0; digits <= 14; ++digits) {
    const double power = std::pow(10.0, digits);
    const bool exact = std::all_of(values.begin(), values.end(), [&](double x) { return x != x || std::nearbyint(x * power) / power == x; });
    if (exact) return digits;
  }
  return std::nullopt;
}

void fit_number(const Column& column, ColumnModel& out, std::vector<double>& score) {
  const auto& values = column.numbers;
  double low = INFINITY, high = -INFINITY, sum = 0;
  size_t present = 0;
  for (const double x : values) {
    if (x != x) continue;
    low = std::min(low, x);
    high = std::max(high, x);
    sum += x;
    ++present;
  }
  NumberOutput number;
  number.missing = 1 - static_cast<double>(present) / static_cast<double>(values.size());
  score.assign(values.size(), 0);
  if (present == 0 || high == low) {
    const double only = present == 0 ? 0 : low;
    number.min = number.max = only;
    out.marginal = Beta{1, 1, only, 0};
    out.output = number;
    return;
  }
  number.min = low;
  number.max = high;
  number.digits = learn_digits(values);
  // Moments of a beta on [low, high]; a variance that no beta has (all mass at the ends) is taken just below it.
  const double mean = sum / static_cast<double>(present), range = high - low, m = (mean - low) / range;
  double square = 0;
  for (const double x : values) square += x == x ? (x - mean) * (x - mean) : 0;
  const double v = std::min(square / static_cast<double>(present) / (range * range), 0.999 * m * (1 - m));
  const double strength = m * (1 - m) / v - 1;
  out.marginal = Beta{std::max(1e-3, m * strength), std::max(1e-3, (1 - m) * strength), low, range};
  out.output = number;
  // As copulas does: nothing further out than z = 7, where F is 0 or 1 in double anyway.
  for (size_t i = 0; i < values.size(); ++i) score[i] = std::clamp(normal_score(out.marginal, values[i] == values[i] ? values[i] : mean), -7.0, 7.0);
}

void fit_category(const Column& column, size_t index, uint64_t seed, ColumnModel& out, std::vector<double>& score) {
  // In order of first appearance, missing included, as rdt's UniformEncoder.
  const size_t rows = column.codes.size();
  const auto slot = [&](uint32_t code) { return code == kMissing ? column.dictionary.size() : size_t{code}; };
  std::vector<size_t> counts(column.dictionary.size() + 1), order;
  for (const uint32_t code : column.codes) {
    if (counts[slot(code)]++ == 0) order.push_back(slot(code));
  }
  CategoryOutput category;
  std::vector<double> from(counts.size()), width(counts.size());
  size_t before = 0;
  for (const size_t k : order) {
    from[k] = static_cast<double>(before) / static_cast<double>(rows);
    width[k] = static_cast<double>(counts[k]) / static_cast<double>(rows);
    before += counts[k];
    const bool missing = k == column.dictionary.size();
    if (missing) category.missing = category.labels.size();
    category.labels.push_back(missing ? "" : column.dictionary[k]);
    category.upper.push_back(static_cast<double>(before) / static_cast<double>(rows));
  }
  out.marginal = Uniform{0, 1};
  out.output = std::move(category);
  RandomSequence random(seed, RandomStream::kCopula, UINT64_MAX - index);
  score.resize(rows);
  for (size_t i = 0; i < rows; ++i) score[i] = score_of(from[slot(column.codes[i])] + width[slot(column.codes[i])] * random.next_uniform());
}

}  // namespace

void CopulaFitter::add(const Table& chunk) {
  if (all_.columns.empty()) {
    all_ = chunk;
    return;
  }
  mixed_ |= chunk.columns.size() != all_.columns.size();
  for (size_t c = 0; c < chunk.columns.size() && !mixed_; ++c) {
    const Column& from = chunk.columns[c];
    Column& to = all_.columns[c];
    mixed_ |= from.name != to.name || from.type != to.type;
    to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
    if (from.type == ColumnType::kNumber) continue;
    boost::unordered_flat_map<std::string_view, uint32_t> known;
    for (uint32_t i = 0; i < to.dictionary.size(); ++i) known.emplace(to.dictionary[i], i);
    std::vector<uint32_t> code;
    std::vector<std::string> fresh;
    for (const auto& text : from.dictionary) {
      const auto found = known.find(text);
      code.push_back(found != known.end() ? found->second : static_cast<uint32_t>(to.dictionary.size() + fresh.size()));
      if (found == known.end()) fresh.push_back(text);
    }
    to.dictionary.insert(to.dictionary.end(), fresh.begin(), fresh.end());
    for (const uint32_t k : from.codes) to.codes.push_back(k == kMissing ? kMissing : code[k]);
  }
  all_.rows += chunk.rows;
}

Result<CopulaModel> CopulaFitter::fit(uint64_t seed) {
  if (all_.rows < 2) return bad_input("at least two rows are needed to fit a copula");
  if (mixed_) return bad_input("the rows to fit have different columns");
  const size_t n = all_.columns.size();
  CopulaModel model;
  model.columns.resize(n);
  Eigen::MatrixXd scores(static_cast<Eigen::Index>(all_.rows), static_cast<Eigen::Index>(n));
  parallel_for(n, 1, [&](size_t first, size_t last) {
    std::vector<double> score;
    for (size_t c = first; c < last; ++c) {
      const Column& column = all_.columns[c];
      model.columns[c].name = column.name;
      if (column.type == ColumnType::kNumber) fit_number(column, model.columns[c], score);
      else fit_category(column, c, seed, model.columns[c], score);
      auto to = scores.col(static_cast<Eigen::Index>(c));
      to = Eigen::Map<const Eigen::VectorXd>(score.data(), static_cast<Eigen::Index>(score.size()));
      to.array() -= to.mean();
      const double norm = to.norm();
      to *= norm > 1e-9 ? 1 / norm : 0;  // a constant column has no correlation
    }
  });
  const Eigen::MatrixXd correlation = scores.transpose() * scores;
  model.correlation.resize(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      model.correlation[i * n + j] = i == j ? 1 : std::clamp(correlation(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)), -1.0, 1.0);
    }
  }
  MAEIL_TRY(check_model(model));
  return model;
}

}  // namespace maeil::copula
