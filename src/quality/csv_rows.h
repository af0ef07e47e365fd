// The rows of a CSV file one after another, all or an even choice of them, and pandas' dtype of each column.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/csv_row.h"
#include "table/row_file.h"

namespace maeil::quality {

class CsvRows {
 public:
  // Called with a row as wide as the header; the views live as long as the call.
  using Visit = std::function<Status(const format::CsvRow& fields, uint64_t line)>;

  // `max_rows` > 0: of more rows than that, so many are visited, chosen as even_choice.h says: a sorted file
  // keeps its proportions, and so does one whose rows come in a rhythm.
  // Records that cannot be split or have another width than the header are left out, as `maeil fit` leaves
  // them out. kBadInput: what table::RowFile refuses, no rows, more than 5 % of the records left out;
  // kNotFound. `known`: of RowFile::open.
  static Result<CsvRows> open(const std::string& path, size_t max_rows,
                              const table::DatasetSpec* known = nullptr);

  Status each(const Visit& visit) const { return visit_rows(visit, false); }
  Status each_of_all(const Visit& visit) const { return visit_rows(visit, true); }  // whatever max_rows is
  // pandas.read_csv's, by the visited rows: "int64", "float64", "bool" or "object".
  Result<std::vector<std::string>> dtypes() const;
  size_t find(const std::string& name) const;  // names().size() when it is not there

  const std::vector<std::string>& names() const { return names_; }
  const std::string& path() const { return file_.name(); }
  std::string how() const { return file_.how(); }                       // RowFile's
  const std::vector<std::string>& remarks() const { return remarks_; }  // RowReader's
  size_t rows() const { return rows_; }                                 // that are visited
  size_t all_rows() const { return all_rows_; }
  size_t left_out() const { return broken_.size(); }
  // "F.csv:12: 2 fields instead of 3"
  const std::string& first_left_out() const { return first_broken_; }

 private:
  explicit CsvRows(table::RowFile file) : file_(std::move(file)) {}
  Status visit_rows(const Visit& visit, bool all) const;

  table::RowFile file_;
  std::vector<std::string> remarks_;
  std::vector<std::string> names_;
  size_t rows_ = 0, all_rows_ = 0;
  std::vector<uint64_t> broken_;  // numbers of the records left out, ascending
  std::string first_broken_;
};

}  // namespace maeil::quality
