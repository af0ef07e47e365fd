#include "table/column_summary.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/hash.h"
#include "format/csv.h"

namespace maeil::table {
namespace {

constexpr size_t kValueBytes = 64;
constexpr double kTied = 0.05;  // of the sample

uint64_t row_hash(uint64_t row) { return hash64({reinterpret_cast<const char*>(&row), sizeof row}, 1); }

}  // namespace

Summarizing::Summarizing(const DatasetSpec& spec)
    : spec_(spec), is_no_category_(std::make_unique<std::atomic<bool>[]>(spec.columns.size())) {
  const size_t C = spec.columns.size();
  is_text_.resize(C);
  missing_.resize(C);
  totals_.resize(C);
  values_.resize(C);
  for (size_t c = 0; c < C; ++c) {
    const SpecColumn& column = spec.columns[c];
    if (column.drop || column.role || column.identifier || column.name == spec.target) continue;
    if (column.type == SpecType::kNumber) numbers_.push_back(c);
    is_text_[c] = column.type == SpecType::kText;
  }
}

void Summarizing::look(const Table& chunk, const std::vector<uint64_t>& row_index,
                       const std::vector<uint8_t>& is_out, Piece& out) const {
  const size_t C = spec_.columns.size();
  out.rows = static_cast<uint64_t>(std::ranges::count(is_out, 0));
  out.missing.assign(C, 0);
  out.numbers.assign(C, {});
  out.values.resize(C);
  for (size_t c = 0; c < C; ++c) {
    const Column& column = chunk.columns[c];
    uint64_t& missing = out.missing[c];
    out.values[c].clear();
    if (column.type == ColumnType::kNumber) {
      auto& n = out.numbers[c];
      for (size_t row = 0; row < chunk.rows; ++row) {
        const double value = column.numbers[row];
        if (is_out[row]) continue;
        if (value != value) {
          ++missing;
          continue;
        }
        n.min = n.count == 0 ? value : std::min(n.min, value);
        n.max = n.count == 0 ? value : std::max(n.max, value);
        ++n.count;
        n.sum += value;
        n.squares += value * value;
      }
      continue;
    }
    const bool told = is_text_[c] && !is_no_category_[c].load(std::memory_order_relaxed);
    std::vector<uint64_t> counts(told ? column.dictionary.size() : 0);
    for (size_t row = 0; row < chunk.rows; ++row) {
      if (is_out[row]) continue;
      if (column.codes[row] == kMissing)
        ++missing;
      else if (told)
        ++counts[column.codes[row]];
    }
    for (size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] > 0) out.values[c].emplace_back(column.dictionary[k], counts[k]);
    }
  }
  out.hashes.clear();
  out.sample.clear();
  const uint64_t largest = largest_.load(std::memory_order_relaxed);
  for (size_t row = 0; row < chunk.rows; ++row) {
    if (is_out[row]) continue;
    const uint64_t hash = row_hash(row_index[row]);
    if (hash > largest) continue;
    out.hashes.push_back(hash);
    for (const size_t c : numbers_) out.sample.push_back(static_cast<float>(chunk.columns[c].numbers[row]));
  }
}

void Summarizing::add(const Piece& piece) {
  rows_ += piece.rows;
  for (size_t c = 0; c < spec_.columns.size(); ++c) {
    missing_[c] += piece.missing[c];
    const auto& from = piece.numbers[c];
    auto& to = totals_[c];
    if (from.count > 0) {
      to.min = to.count == 0 ? from.min : std::min(to.min, from.min);
      to.max = to.count == 0 ? from.max : std::max(to.max, from.max);
      to.count += from.count;
      to.sum += from.sum;
      to.squares += from.squares;
    }
    if (is_no_category_[c].load(std::memory_order_relaxed)) continue;
    for (const auto& [value, rows] : piece.values[c]) values_[c][value] += rows;
    if (values_[c].size() > kMostValues) {
      is_no_category_[c].store(true, std::memory_order_relaxed);
      values_[c].clear();
    }
  }
  hashes_.insert(hashes_.end(), piece.hashes.begin(), piece.hashes.end());
  sample_.insert(sample_.end(), piece.sample.begin(), piece.sample.end());
  // Twice the sample, so that the selection costs a constant for each row.
  if (hashes_.size() >= 2 * kSummaryRows) keep_smallest(kSummaryRows);
}

void Summarizing::keep_smallest(size_t rows) {
  std::vector<uint64_t> sorted = hashes_;
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(rows - 1);
  std::nth_element(sorted.begin(), last, sorted.end());
  largest_.store(*last, std::memory_order_relaxed);
  const size_t N = numbers_.size();
  size_t kept = 0;
  for (size_t row = 0; row < hashes_.size(); ++row) {
    if (hashes_[row] > *last) continue;
    hashes_[kept] = hashes_[row];
    std::copy_n(sample_.begin() + static_cast<std::ptrdiff_t>(row * N), N,
                sample_.begin() + static_cast<std::ptrdiff_t>(kept * N));
    ++kept;
  }
  hashes_.resize(kept);
  sample_.resize(kept * N);
}

std::vector<ColumnSummary> Summarizing::summaries() const {
  std::vector<ColumnSummary> out;
  // The kSummaryRows smallest, whatever came after the last selection.
  std::vector<size_t> rows(hashes_.size());
  std::iota(rows.begin(), rows.end(), size_t{0});
  std::ranges::sort(rows, {}, [&](size_t row) { return hashes_[row]; });
  if (rows.size() > kSummaryRows) rows.resize(kSummaryRows);
  size_t number = 0;
  for (size_t c = 0; c < spec_.columns.size(); ++c) {
    ColumnSummary& one = out.emplace_back();
    one.column = spec_.columns[c].name;
    one.missing = rows_ == 0 ? 0 : static_cast<double>(missing_[c]) / static_cast<double>(rows_);
    one.values = rows_ - missing_[c];
    const bool told = number < numbers_.size() && numbers_[number] == c;
    if (told && totals_[c].count > 0) {
      const auto& n = totals_[c];
      const double count = static_cast<double>(n.count);
      if (std::isfinite(n.squares)) {  // else no spread could be told beside it
        one.mean = n.sum / count;
        one.deviation = std::sqrt(std::max(0.0, n.squares / count - *one.mean * *one.mean));
      }
      one.min = n.min;
      one.max = n.max;
      std::vector<float> values;
      for (const size_t row : rows) {
        const float value = sample_[row * numbers_.size() + number];
        if (value == value) values.push_back(value);
      }
      std::ranges::sort(values);
      for (size_t q = 0; q < 3 && !values.empty(); ++q) {
        const float value = values[(values.size() - 1) * (q + 1) / 4];
        const auto same = std::ranges::equal_range(values, value);
        if (static_cast<double>(same.size()) <= std::max(1.0, kTied * static_cast<double>(values.size())))
          one.quartiles[q] = value;
      }
    }
    number += told;
    if (!is_text_[c] || is_no_category_[c].load() || one.values == 0) continue;
    for (const auto& [value, count] : values_[c])
      one.shares.emplace_back(format::clip_utf8(value, kValueBytes),
                              static_cast<double>(count) / static_cast<double>(one.values));
    std::ranges::stable_sort(one.shares, std::greater<>(), &std::pair<std::string, double>::second);
    one.all_shares = one.shares.size() <= kSummaryValues;
    if (!one.all_shares) one.shares.resize(kSummaryValues);
  }
  return out;
}

}  // namespace maeil::table
