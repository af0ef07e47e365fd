// Rows of Parquet and Arrow files as records of plain CSV, for what reads a file of rows as text (RowReader).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "columnar/part_rows.h"
#include "table/row_file.h"

namespace maeil::table {

// Not thread safe.
class ColumnarRecords {
 public:
  explicit ColumnarRecords(std::shared_ptr<const ColumnarFile> file);
  // Writes the next row over `record`; false at the end. The errors of BatchReader.
  Result<bool> next(std::string& record);
  uint64_t number() const { return number_; }  // of the row, from 1
  const std::vector<std::string>& left_out() const { return file_->rows.left_out(); }

 private:
  void bind();
  std::shared_ptr<const ColumnarFile> file_;
  columnar::BatchReader reader_;
  columnar::Batch batch_;
  std::vector<std::unique_ptr<columnar::BoundColumn>> columns_;  // null: a key
  size_t row_ = 0;
  uint64_t number_ = 0;
  std::string field_;
};

}  // namespace maeil::table
