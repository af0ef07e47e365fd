// The rows of a CSV file one after another, all or an even choice of them, and pandas' dtype of each column.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "format/csv_row.h"

namespace maeil::quality {

class CsvRows {
 public:
  // Called with a row as wide as the header; the views live as long as the call.
  using Visit = std::function<Status(const format::CsvRow& fields, uint64_t line)>;

  // `max_rows` > 0: of more rows than that, so many are visited, chosen as even_choice.h says: a sorted file
  // keeps its proportions, and so does one whose rows come in a rhythm.
  // Records that cannot be split or have another width than the header are left out, as `maeil fit` leaves
  // them out. kBadInput: a header that table::read_csv_header refuses, no rows, more than 5 % of the records
  // left out; kNotFound.
  static Result<CsvRows> open(const std::string& path, size_t max_rows);

  Status each(const Visit& visit) const { return visit_rows(visit, false); }
  Status each_of_all(const Visit& visit) const { return visit_rows(visit, true); }  // whatever max_rows is
  // pandas.read_csv's, by the visited rows: "int64", "float64", "bool" or "object".
  Result<std::vector<std::string>> dtypes() const;
  size_t find(const std::string& name) const;  // names().size() when it is not there

  const std::vector<std::string>& names() const { return names_; }
  const std::string& path() const { return path_; }
  size_t rows() const { return rows_; }  // that are visited
  size_t all_rows() const { return all_rows_; }
  size_t left_out() const { return broken_.size(); }
  // "F.csv:12: 2 fields instead of 3"
  const std::string& first_left_out() const { return first_broken_; }

 private:
  CsvRows(std::string path, MappedFile mapped) : path_(std::move(path)), mapped_(std::move(mapped)) {}
  Status visit_rows(const Visit& visit, bool all) const;

  std::string path_;
  MappedFile mapped_;
  std::vector<std::string> names_;
  size_t rows_ = 0, all_rows_ = 0;
  std::vector<uint64_t> broken_;  // numbers of the records left out, ascending
  std::string first_broken_;
};

}  // namespace maeil::quality
