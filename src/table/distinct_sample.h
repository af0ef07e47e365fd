// A fair sample of a column's different values with the rows of each, in bounded memory: how many different
// values there are, and how many rows bear a value that few rows bear.
//
// Kept are the values with the smallest hashes (bottom-k, Beyer and others 2007). Which those are depends on
// the values alone, not on their order or the threads, and the rows of a kept value are counted exactly,
// since it was kept from its first row on. With at most kSampleValues different values everything is exact;
// with more, shares are off by about 1/sqrt(kSampleValues), 1.6 %.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maeil::table {

inline constexpr size_t kSampleValues = 4096;
inline constexpr size_t kSampleBytes = 256;  // of a value that are kept

class DistinctSample {
 public:
  // `most`: hashes beyond it are known not to be kept; see largest_hash().
  explicit DistinctSample(uint64_t most = UINT64_MAX) : most_(most) {}

  void add(std::string_view text, uint64_t rows);
  void merge(const DistinctSample& other);

  uint64_t rows() const { return rows_; }          // all that were added
  uint64_t largest_hash() const { return most_; }  // only falls
  double distinct() const;                         // different values
  double rows_of_rare(uint64_t fewer_than) const;  // rows whose value fewer rows than that bear
  // of the sample, in the order of their hashes; they live as long as it
  std::vector<std::string_view> texts() const;
  // The same with the rows of each, which are all of them: of few values, a count of each.
  std::vector<std::pair<std::string_view, uint64_t>> counts() const;

  // Of all that were added, in the sample or not: the value whose number, or else whose digits read as one
  // number, is largest. "" where nothing was added.
  std::string_view largest() const { return largest_; }

 private:
  struct Value {
    std::string text;
    uint64_t rows = 0;
  };
  void see_largest(std::string_view text);
  void keep(uint64_t hash, std::string_view text, uint64_t rows);
  void prune(size_t values);
  std::vector<uint64_t> smallest() const;  // the hashes of the sample, ascending

  uint64_t most_, rows_ = 0;
  bool pruned_ = false;
  double largest_number_ = -std::numeric_limits<double>::infinity();
  std::string largest_;
  boost::unordered_flat_map<uint64_t, Value> values_;
};

}  // namespace maeil::table
