// A block is one matrix product: 1024 rows of independent normals times the triangular factor of the correlation. Category
// columns never compute F^-1: their edges are moved into z once, and a value is found by binary search.
#include "copula/sample.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/philox.h"
#include "base/threads.h"

namespace maeil::copula {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// A with A A^T = correlation: Cholesky, or the symmetric root with negative eigenvalues cut off, as numpy's sampling by
// singular values does for a matrix that is not quite positive definite.
Matrix factor(const CopulaModel& model) {
  const auto n = static_cast<Eigen::Index>(model.columns.size());
  const Matrix correlation = Eigen::Map<const Matrix>(model.correlation.data(), n, n);
  const Eigen::LLT<Eigen::MatrixXd> cholesky(correlation);
  if (cholesky.info() == Eigen::Success) return Matrix(cholesky.matrixL());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(correlation);
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
}

// Phi^-1(u), infinite at 0 and 1.
double normal_quantile(double u) {
  if (u <= 0) return -std::numeric_limits<double>::infinity();
  if (u >= 1) return std::numeric_limits<double>::infinity();
  return -std::sqrt(2.0) * boost::math::erfc_inv(2 * u);
}

// numpy.round: scale, round half to even, scale back.
double round_to(double x, int digits) {
  const double power = std::pow(10.0, std::abs(digits));
  return digits >= 0 ? std::nearbyint(x * power) / power : std::nearbyint(x / power) * power;
}

struct ColumnPlan {
  std::vector<double> upper_z;      // category columns: interval ends as z
  std::vector<uint32_t> code;       // dictionary code of each category; kMissing
  std::vector<std::string> labels;  // the dictionary
  std::vector<double> numbers;      // number labels; NaN where missing
  std::unique_ptr<InverseTable> inverse;
};

ColumnPlan plan_column(const CopulaColumn& column) {
  ColumnPlan plan;
  if (!column.is_category) {
    plan.inverse = std::make_unique<InverseTable>(column.marginal);
    return plan;
  }
  for (const auto& category : column.categories) {
    plan.upper_z.push_back(normal_quantile(cumulative(column.marginal, category.upper)));
    if (column.number_labels) {
      double number = std::numeric_limits<double>::quiet_NaN();
      if (category.label) std::from_chars(category.label->data(), category.label->data() + category.label->size(), number);
      plan.numbers.push_back(number);
    } else if (category.label) {
      plan.code.push_back(static_cast<uint32_t>(plan.labels.size()));
      plan.labels.push_back(*category.label);
    } else {
      plan.code.push_back(kMissing);
    }
  }
  // x is clipped to [0, 1], so what lies beyond the last edge belongs to it.
  plan.upper_z.back() = std::numeric_limits<double>::infinity();
  return plan;
}

}  // namespace

InverseTable::InverseTable(const Marginal& marginal) : value_(kPieces + 1), slope_(kPieces + 1) {
  const double distance = 2 * kReach / kPieces;
  for (int i = 0; i <= kPieces; ++i) value_[i] = percent_point_of_normal(marginal, -kReach + i * distance);
  // Fourth-order differences for the slopes, then limited so that no piece overshoots.
  const auto at = [&](int i) { return value_[std::clamp(i, 0, kPieces)]; };
  for (int i = 0; i <= kPieces; ++i) {
    slope_[i] = (8 * (at(i + 1) - at(i - 1)) - (at(i + 2) - at(i - 2))) / 12;
  }
  for (int i = 0; i < kPieces; ++i) {
    const double rise = value_[i + 1] - value_[i];
    slope_[i] = std::clamp(slope_[i], 0.0, 3 * rise);
    slope_[i + 1] = std::clamp(slope_[i + 1], 0.0, 3 * rise);
  }
}

double InverseTable::operator()(double z) const {
  const double place = (std::clamp(z, -kReach, kReach) + kReach) * (kPieces / (2 * kReach));
  const int i = std::min(static_cast<int>(place), kPieces - 1);
  const double t = place - i;
  const double rise = value_[i + 1] - value_[i];
  // Hermite form in t: value + t * (slope + t * (c2 + t * c3)).
  const double c2 = 3 * rise - 2 * slope_[i] - slope_[i + 1], c3 = slope_[i] + slope_[i + 1] - 2 * rise;
  return value_[i] + t * (slope_[i] + t * (c2 + t * c3));
}

struct Sampler::Plan {
  CopulaModel model;
  Matrix factor;
  std::vector<ColumnPlan> columns;

  // Rows [first, last) of block `block`.
  Table make(uint64_t seed, uint64_t block, size_t first, size_t last) const;
};

Table Sampler::Plan::make(uint64_t seed, uint64_t block, size_t first, size_t last) const {
  const size_t n = model.columns.size(), rows = last - first;
  // The whole block is drawn, so that a part of it has the same rows.
  Matrix normal(n, kBlockRows);
  RandomSequence random(seed, RandomStream::kCopula, block);
  double* out = normal.data();
  for (size_t i = 0; i < n * kBlockRows; i += 2) {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(random.next_uniform())), angle = 6.283185307179586477 * random.next_uniform();
    out[i] = radius * std::cos(angle);
    out[i + 1] = radius * std::sin(angle);
  }
  const Matrix z = factor * normal;

  Table table;
  table.rows = rows;
  table.columns.resize(n);
  for (size_t c = 0; c < n; ++c) {
    const CopulaColumn& column = model.columns[c];
    const ColumnPlan& plan = columns[c];
    Column& to = table.columns[c];
    const double* values = z.data() + c * kBlockRows + first;
    to.name = column.name;
    if (column.is_category) {
      to.type = column.number_labels ? ColumnType::kNumber : ColumnType::kText;
      if (column.number_labels) to.numbers.resize(rows);
      else {
        to.codes.resize(rows);
        to.dictionary = plan.labels;
      }
      for (size_t row = 0; row < rows; ++row) {
        const size_t k = std::lower_bound(plan.upper_z.begin(), plan.upper_z.end(), values[row]) - plan.upper_z.begin();
        if (column.number_labels) to.numbers[row] = plan.numbers[k];
        else to.codes[row] = plan.code[k];
      }
      continue;
    }
    to.type = ColumnType::kNumber;
    to.numbers.resize(rows);
    const double low = column.low.value_or(-std::numeric_limits<double>::infinity()), high = column.high.value_or(std::numeric_limits<double>::infinity());
    for (size_t row = 0; row < rows; ++row) {
      double x = std::clamp((*plan.inverse)(values[row]), low, high);
      if (column.digits) x = round_to(x, *column.digits);
      else if (column.number_format == NumberFormat::kInteger) x = std::nearbyint(x);
      to.numbers[row] = x;
    }
    if (column.null_rate > 0) {
      RandomSequence nulls(seed, RandomStream::kCopulaNulls, block * 16384 + c);  // at most 10,000 columns
      for (size_t row = 0; row < last; ++row) {
        const bool missing = nulls.next_uniform() < column.null_rate;
        if (missing && row >= first) to.numbers[row - first] = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  return table;
}

Sampler::Sampler(const CopulaModel& model) {
  auto plan = std::make_unique<Plan>();
  plan->model = model;
  plan->factor = factor(model);
  plan->columns.resize(model.columns.size());
  parallel_for(model.columns.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) plan->columns[c] = plan_column(model.columns[c]);
  });
  plan_ = std::move(plan);
}
Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;

Status Sampler::sample(uint64_t first_row, uint64_t rows, uint64_t seed, const std::function<Status(const Table&)>& sink) const {
  const uint64_t end = first_row + rows, last_block = (end + kBlockRows - 1) / kBlockRows;
  const uint64_t wave = std::max<uint64_t>(4, 2 * static_cast<uint64_t>(thread_count()));
  for (uint64_t block = first_row / kBlockRows; block < last_block; block += wave) {
    std::vector<Table> tables(std::min(wave, last_block - block));
    parallel_for(tables.size(), 1, [&](size_t from, size_t to) {
      for (size_t i = from; i < to; ++i) {
        const uint64_t start = (block + i) * kBlockRows;
        const size_t first = first_row > start ? first_row - start : 0;
        tables[i] = plan_->make(seed, block + i, first, std::min(end - start, kBlockRows));
      }
    });
    for (const auto& table : tables) MAEIL_TRY(sink(table));
  }
  return {};
}

}  // namespace maeil::copula
