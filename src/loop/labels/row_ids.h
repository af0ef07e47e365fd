// Which row of a day a label or a score belongs to: by the texts of the dataset's ids, else by the row's
// number in the day. The text of several ids is a line of CSV, so that ("a", "b,c") and ("a,b", "c") differ;
// an id that is a date is the day, however it is written.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/dataset_spec.h"
#include "table/table.h"

namespace maeil::loop {

// 128 bits of hash: of 10^7 rows two share a key once in 10^24 days.
struct RowKey {
  uint64_t high = 0, low = 0;
  auto operator<=>(const RowKey&) const = default;
};
RowKey row_key(std::string_view id);

inline constexpr const char* kRowColumn = "row";  // of a file that names rows by their number

// The columns by which a file of labels or of scores names a row: those of [roles], else kRowColumn.
std::vector<std::string> id_columns(const table::DatasetSpec& spec);

// The spec of what is read of a day's raw rows: ids and target.
table::DatasetSpec id_and_target(const table::DatasetSpec& spec);

// The ids of a chunk's rows. What it is given must outlive it.
class RowIds {
 public:
  // `columns` of the chunk; empty: rows are named by their number.
  RowIds(const table::DatasetSpec& spec, const std::vector<std::string>& columns, const Table& chunk);
  // Replaces `out`. False where an id is missing.
  bool text(size_t row, uint64_t number, std::string& out) const;

 private:
  struct Id {
    const Column* column;
    std::vector<std::string> days;  // by code, where it is a date
  };
  std::vector<Id> ids_;
};

}  // namespace maeil::loop
