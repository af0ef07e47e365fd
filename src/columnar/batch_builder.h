// Columns in memory as a batch of the C data interface: what a writer of Parquet or Arrow files takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/c_data.h"

namespace maeil::columnar {

enum class OutKind { kText, kWhole, kNumber, kDate };  // utf8, int64, double, date32

struct OutColumn {
  std::string name;
  OutKind kind = OutKind::kText;
};

// The columns as the children of a struct.
OwnedSchema schema_of(const std::vector<OutColumn>& columns);

// One column of a batch as it grows; every value is appended to it, or a missing one.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(OutKind kind);
  // REQUIRES: the column's kind.
  void add(std::string_view text);  // kText
  void add(int64_t whole);          // kWhole
  void add(double number);          // kNumber
  void add_day(int32_t days);       // kDate: since 1970
  void add_missing();

  size_t rows() const { return rows_; }
  size_t bytes() const { return data_.size(); }

 private:
  friend OwnedArray take_batch(std::vector<ColumnBuilder>& columns);
  void add_valid(bool valid);
  template <class T>
  void put(T value) {
    data_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  OutKind kind_;
  size_t rows_ = 0, missing_ = 0;
  std::string valid_, data_;
  std::vector<int32_t> offsets_;  // kText
};

// The columns as a batch; they are empty afterwards. REQUIRES: of the same length.
OwnedArray take_batch(std::vector<ColumnBuilder>& columns);

}  // namespace maeil::columnar
