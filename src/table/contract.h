// [contract] of a dataset spec: what the rows of a file must keep beside the columns' types. Parsed here and
// written (spec_text.h); rows are held against it by contract_check.h.
//
// A rule of rows blames single rows: they are set aside, and the rule is broken when too many are. A rule of
// the file (its rows, a column's missing values, the target's rate) blames none, and is broken or kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace maeil::table {

struct DatasetSpec;

// The share of rows that must keep a rule of rows, where the contract does not say (`mostly`): what
// check_quarantine puts up with for rows that cannot be read.
inline constexpr double kMostly = 0.95;

struct ColumnContract {
  std::string column;
  std::optional<double> min, max;          // of numbers; of dates days since 1970. Ends included
  std::vector<double> allowed_numbers;     // ascending
  std::vector<std::string> allowed_texts;  // ascending; both empty: every value is allowed
  std::optional<double> max_missing;       // share of the rows
  std::optional<double> mostly;            // instead of the contract's

  bool has_row_rules() const { return min || max || !allowed_numbers.empty() || !allowed_texts.empty(); }
};

struct Contract {
  bool schema_only = false;  // said: the columns and their types are all that is checked
  std::optional<uint64_t> min_rows, max_rows;
  std::optional<double> min_target_rate, max_target_rate;  // positive rows among the labelled ones
  bool unique_id = false;                                  // no two rows of a file have the same id
  bool unique_file = false;                                // no two days have the same file
  double mostly = kMostly;
  std::vector<ColumnContract> columns;  // in the order of the spec's, each once

  // Whether rows or the file can break more than the schema.
  bool has_rules() const {
    return min_rows || max_rows || min_target_rate || max_target_rate || unique_id || unique_file ||
           !columns.empty();
  }
};

// SHA-256 of all that a file is held against: the columns with their types and forms, the target's values,
// the ids, the contract. Comments, layout and what only prepares rows do not count.
std::string contract_hash(const DatasetSpec& spec);

// A bound as a spec has it: 2026-01-31 of a date, else the number.
std::string bound_text(double bound, bool is_date);

}  // namespace maeil::table
