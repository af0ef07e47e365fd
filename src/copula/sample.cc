// Blocks of 512 rows: normals, correlation, then column by column the inverse transform, so that a column's table is in
// cache while it is used.
#include "copula/sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/threads.h"
#include "copula/category_table.h"
#include "copula/normal_block.h"
#include "copula/quantile_table.h"

namespace maeil::copula {
namespace {

constexpr uint64_t kChunkRows = 1024;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Category {
  CategoryTable table;
  std::vector<uint32_t> codes;  // (K) interval -> dictionary code or kMissing
};

// What numpy's round(x, digits) computes: scale, round half to even, scale back.
struct Rounding {
  explicit Rounding(std::optional<int> digits) {
    if (!digits) return;
    power = std::pow(10.0, std::abs(*digits));
    kind = *digits >= 0 ? kDecimals : kTens;
  }
  double operator()(double x) const {
    switch (kind) {
      case kDecimals: return std::nearbyint(x * power) / power;
      case kTens: return std::nearbyint(x / power) * power;
      default: return x;
    }
  }
  enum { kNone, kDecimals, kTens } kind = kNone;
  double power = 1;
};

struct Number {
  QuantileTable table;
  Rounding rounding;
  double minus_zero;        // added last: 0.0 turns the -0.0 of a whole number into 0
  uint64_t missing_below;   // a null word below it means missing; 2^32 for always
};

Number prepare(const Marginal& marginal, const NumberOutput& out) {
  const double infinity = std::numeric_limits<double>::infinity();
  const bool whole = out.format == NumberFormat::kInteger;
  return {QuantileTable(marginal, out.min.value_or(-infinity), out.max.value_or(infinity)),
          Rounding(whole && !out.digits ? std::optional<int>(0) : out.digits), whole ? 0.0 : -0.0,
          static_cast<uint64_t>(std::llround(out.missing * 0x1p32))};
}

// Labels become a dictionary without repetition; `dictionary` receives it.
Category prepare(const Marginal& marginal, const CategoryOutput& out, std::vector<std::string>& dictionary) {
  Category category{CategoryTable(marginal, out), {}};
  std::unordered_map<std::string_view, uint32_t> seen;
  for (size_t k = 0; k < out.labels.size(); ++k) {
    if (out.missing == k) {
      category.codes.push_back(kMissing);
      continue;
    }
    const auto [found, added] = seen.emplace(out.labels[k], static_cast<uint32_t>(dictionary.size()));
    if (added) dictionary.push_back(out.labels[k]);
    category.codes.push_back(found->second);
  }
  return category;
}

using Transform = std::variant<Category, Number>;

}  // namespace

struct Sampler::Prepared {
  std::vector<float> factor;          // (C,C)
  std::vector<Transform> transforms;  // (C)
  Table empty;                        // names, types and dictionaries
};

namespace {

// Per worker: (C, kBlockRows) normals, and one column's words.
struct Scratch {
  std::vector<float> z;
  std::vector<uint32_t> words;
};

void draw_normals(const std::vector<float>& factor, size_t C, uint64_t seed, uint64_t block, Scratch& scratch) {
  scratch.z.resize(C * kBlockRows);
  scratch.words.resize(kBlockRows);
  for (size_t c = 0; c < C; ++c) {
    philox_words(seed, RandomStream::kCopula, block, static_cast<uint32_t>(c), scratch.words.data());
    box_muller(scratch.words.data(), kBlockRows / 2, &scratch.z[c * kBlockRows]);
  }
  correlate(factor, C, scratch.z.data());
}

// Rows [from, to) of the block into `out`.
void write_column(const Category& category, const float* z, size_t from, size_t to, uint32_t* out) {
  for (size_t r = from; r < to; ++r) *out++ = category.codes[category.table(z[r])];
}

void write_column(const Number& number, const float* z, const uint32_t* null_words, size_t from, size_t to, double* out) {
  for (size_t r = from; r < to; ++r, ++out) {
    *out = null_words && null_words[r] < number.missing_below ? kNaN : number.rounding(number.table(z[r])) + number.minus_zero;
  }
}

}  // namespace

Sampler::Sampler(const CopulaModel& model) {
  auto prepared = std::make_unique<Prepared>();
  const size_t C = model.columns.size();
  prepared->factor = correlation_factor(model);
  std::vector<std::optional<Transform>> transforms(C);
  prepared->empty.columns.resize(C);
  parallel_for(C, 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const auto& from = model.columns[c];
      auto& column = prepared->empty.columns[c];
      column.name = from.name;
      if (const auto* category = std::get_if<CategoryOutput>(&from.output)) {
        column.type = ColumnType::kText;
        transforms[c].emplace(prepare(from.marginal, *category, column.dictionary));
      } else {
        column.type = ColumnType::kNumber;
        transforms[c].emplace(prepare(from.marginal, std::get<NumberOutput>(from.output)));
      }
    }
  });
  for (auto& transform : transforms) prepared->transforms.push_back(std::move(*transform));
  prepared_ = std::move(prepared);
}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;

void Sampler::draw(uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) const {
  const size_t C = prepared_->transforms.size();
  thread_local Scratch scratch;
  if (out.columns.size() != C) out = prepared_->empty;
  out.rows = rows;
  for (auto& column : out.columns) {
    if (column.type == ColumnType::kText) column.codes.resize(rows);
    else column.numbers.resize(rows);
  }
  const uint64_t end = first_row + rows;
  for (uint64_t start = first_row; start < end;) {
    const uint64_t block = start / kBlockRows, block_row = block * kBlockRows;
    const size_t from = start - block_row, to = std::min(end - block_row, uint64_t{kBlockRows}), at = start - first_row;
    draw_normals(prepared_->factor, C, seed, block, scratch);
    for (size_t c = 0; c < C; ++c) {
      const float* z = &scratch.z[c * kBlockRows];
      if (const auto* category = std::get_if<Category>(&prepared_->transforms[c])) {
        write_column(*category, z, from, to, &out.columns[c].codes[at]);
        continue;
      }
      const auto& number = std::get<Number>(prepared_->transforms[c]);
      if (number.missing_below) philox_words(seed, RandomStream::kCopulaNulls, block, static_cast<uint32_t>(c), scratch.words.data());
      write_column(number, z, number.missing_below ? scratch.words.data() : nullptr, from, to, &out.columns[c].numbers[at]);
    }
    start = block_row + to;
  }
}

Status Sampler::sample(uint64_t first_row, uint64_t rows, uint64_t seed, const std::function<Status(const Table& chunk)>& sink) const {
  if (rows > std::numeric_limits<uint64_t>::max() - first_row) return usage_error("the rows asked for go beyond row 2^64 - 1");
  return run_pieces<Table>(
      first_row, rows, kChunkRows,
      [&](uint64_t first, uint64_t count, Table& chunk) -> Status {
        draw(first, count, seed, chunk);
        return {};
      },
      [&](Table& chunk) { return sink(chunk); });
}

}  // namespace maeil::copula
