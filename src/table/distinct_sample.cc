#include "table/distinct_sample.h"

#include <algorithm>

#include "base/hash.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

double number_in(std::string_view text) {
  if (const auto number = read_number(text)) return *number;
  double out = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') out = out * 10 + (c - '0');
  }
  return out;
}

}  // namespace

void DistinctSample::add(std::string_view text, uint64_t rows) {
  rows_ += rows;
  keep(hash64(text), text, rows);
  see_largest(text);
}

void DistinctSample::see_largest(std::string_view text) {
  text = text.substr(0, kSampleBytes);
  const double number = number_in(text);
  if (number < largest_number_ || (number == largest_number_ && text <= largest_)) return;
  largest_number_ = number;
  largest_ = text;
}

void DistinctSample::keep(uint64_t hash, std::string_view text, uint64_t rows) {
  if (hash > most_) {
    pruned_ = true;
    return;
  }
  const auto [found, fresh] = values_.try_emplace(hash);
  if (fresh) found->second.text = text.substr(0, kSampleBytes);
  found->second.rows += rows;
  // Twice the sample, so that the selection costs a constant for each value that comes.
  if (values_.size() >= 2 * kSampleValues) prune(kSampleValues);
}

void DistinctSample::merge(const DistinctSample& other) {
  rows_ += other.rows_;
  if (other.most_ < most_) {
    most_ = other.most_;
    boost::unordered::erase_if(values_, [&](const auto& one) { return one.first > most_; });
  }
  pruned_ |= other.pruned_;
  if (other.rows_ > 0) see_largest(other.largest_);
  for (const auto& [hash, value] : other.values_) keep(hash, value.text, value.rows);
}

std::vector<uint64_t> DistinctSample::smallest() const {
  std::vector<uint64_t> out;
  out.reserve(values_.size());
  for (const auto& one : values_) out.push_back(one.first);
  std::sort(out.begin(), out.end());
  if (out.size() > kSampleValues) out.resize(kSampleValues);
  return out;
}

void DistinctSample::prune(size_t values) {
  std::vector<uint64_t> hashes;
  hashes.reserve(values_.size());
  for (const auto& one : values_) hashes.push_back(one.first);
  const auto last = hashes.begin() + static_cast<ptrdiff_t>(values - 1);
  std::nth_element(hashes.begin(), last, hashes.end());
  most_ = *last;
  pruned_ = true;
  boost::unordered::erase_if(values_, [&](const auto& one) { return one.first > most_; });
}

double DistinctSample::distinct() const {
  if (!pruned_ && values_.size() <= kSampleValues) return static_cast<double>(values_.size());
  const auto hashes = smallest();
  // The k-th smallest of D even hashes lies at k / (D + 1) of their range.
  return static_cast<double>(hashes.size() - 1) / (static_cast<double>(hashes.back()) * 0x1p-64);
}

double DistinctSample::rows_of_rare(uint64_t fewer_than) const {
  const auto hashes = smallest();
  uint64_t all = 0, rare = 0;
  for (const uint64_t hash : hashes) {
    const uint64_t rows = values_.find(hash)->second.rows;
    all += rows;
    if (rows < fewer_than) rare += rows;
  }
  if (all == rows_ || hashes.empty()) return static_cast<double>(rare);
  return std::min(distinct() / static_cast<double>(hashes.size()) * static_cast<double>(rare),
                  static_cast<double>(rows_));
}

std::vector<std::string_view> DistinctSample::texts() const {
  std::vector<std::string_view> out;
  for (const uint64_t hash : smallest()) out.push_back(values_.find(hash)->second.text);
  return out;
}

std::vector<std::pair<std::string_view, uint64_t>> DistinctSample::counts() const {
  std::vector<std::pair<std::string_view, uint64_t>> out;
  for (const uint64_t hash : smallest()) {
    const Value& value = values_.find(hash)->second;
    out.emplace_back(value.text, value.rows);
  }
  return out;
}

}  // namespace maeil::table
