// The contract that `maeil init` drafts from a history: wide enough that tomorrow's file does not break it by
// chance, narrow enough that another unit, another column or half of a file does.
//
//   min, max      the column's values and as much again on both sides, rounded outwards to two digits; a
//                 column that is never negative stays so
//   allowed       of a text with few values, none of them rare: where some are, others can be expected
//   max_missing   the history's share and five standard errors of a day's rows, 5 % more at least
//   target_rate   a quarter to four times the history's, and five standard errors of a day's rows
//   min_rows ...  half of the smallest day's to twice the largest's, where the history has days enough
//   unique_id     where the history's are
#pragma once

#include <map>
#include <vector>

#include "base/time.h"
#include "table/column_summary.h"
#include "table/contract_check.h"
#include "table/infer.h"

namespace maeil::loop {

class ContractDraft {
 public:
  // `spec`: the drafted one with its roles; types are those that read the file.
  explicit ContractDraft(const table::DatasetSpec& spec);

  void add(const Table& chunk, const std::vector<uint64_t>& row_index);

  // `spec`: with its drops. `positives` among `labelled` rows.
  table::Contract finish(const table::DatasetSpec& spec, const table::InferredColumns& inferred,
                         uint64_t positives, uint64_t labelled) const;

 private:
  double rows_of_a_day() const;

  const table::DatasetSpec spec_;
  table::ContractCheck ids_;
  table::Summarizing summarizing_;
  size_t time_ = SIZE_MAX;
  std::map<Days, uint64_t> by_day_;
  uint64_t rows_ = 0;
};

}  // namespace maeil::loop
