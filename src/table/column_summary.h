// What the columns of a file are like, in one pass and bounded memory: shares of missing values, mean and
// spread and quartiles of numbers, the shares of a text's most frequent values. For comparing a day with the
// days before it; which rows are looked at, and what is made of it, is the caller's.
//
// Quartiles are those of kSummaryRows rows with the smallest hashes of their numbers, so that they depend
// neither on chunks nor on threads; everything else counts all rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::table {

inline constexpr size_t kSummaryRows = 4096;
inline constexpr size_t kSummaryValues = 20;  // of a text, whose shares are told
inline constexpr size_t kMostValues = 1000;   // different ones of a text; with more it is no category

struct ColumnSummary {
  std::string column;
  double missing = 0;  // share of the rows
  uint64_t values = 0;
  // Of numbers, where there are any. A quartile that more than a twentieth of the rows share has no place of
  // its own and is not told.
  std::optional<double> mean, deviation, min, max;
  std::optional<double> quartiles[3];
  std::vector<std::pair<std::string, double>> shares;  // of values, the most frequent first
  bool all_shares = false;                             // these are all values that there are
};

// look() is thread safe; add() takes its pieces in the order of the rows. Of ids, groups, dropped columns and
// the target only the missing values are counted, so no value of these is ever told.
class Summarizing {
 public:
  struct Piece {
    struct Numbers {
      uint64_t count = 0;
      double sum = 0, squares = 0, min = 0, max = 0;
    };
    uint64_t rows = 0;
    std::vector<uint64_t> missing;                                      // (columns)
    std::vector<Numbers> numbers;                                       // (columns)
    std::vector<std::vector<std::pair<std::string, uint64_t>>> values;  // (columns) of texts
    std::vector<uint64_t> hashes;                                       // of the rows of the sample
    std::vector<float> sample;                                          // (hashes, number columns)
  };

  explicit Summarizing(const DatasetSpec& spec);  // which must outlive it

  // Rows whose `is_out` is not 0 are left aside; `is_out`: (rows).
  void look(const Table& chunk, const std::vector<uint64_t>& row_index, const std::vector<uint8_t>& is_out,
            Piece& out) const;
  void add(const Piece& piece);
  std::vector<ColumnSummary> summaries() const;  // in the order of the spec's columns

 private:
  void keep_smallest(size_t rows);

  const DatasetSpec& spec_;
  std::vector<size_t> numbers_;                          // columns whose values are told
  std::vector<bool> is_text_;                            // (columns) whose values are told
  std::unique_ptr<std::atomic<bool>[]> is_no_category_;  // (columns)
  std::atomic<uint64_t> largest_{UINT64_MAX};            // hash of a row that may be in the sample

  uint64_t rows_ = 0;
  std::vector<uint64_t> missing_;
  std::vector<Piece::Numbers> totals_;
  std::vector<std::map<std::string, uint64_t>> values_;
  std::vector<uint64_t> hashes_;
  std::vector<float> sample_;
};

}  // namespace maeil::table
