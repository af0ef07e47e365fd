// The values of one column in one batch, read by its type.
//
// Every value has one text, which is that of its field in a CSV file (value_text.h; numbers as Python writes
// them, True and False, a text as it is). Where it is read as a number, the number is that text's. A NaN is
// missing. What the arrays' offsets and indices say is trusted: the plug-in has checked them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "columnar/c_data.h"
#include "columnar/column_type.h"

namespace maeil::columnar {

// The seconds since 1970 of a date or of a moment without zone as text, where its column has a form of its
// own (a dataset spec's `format`). False: it has not; `out` is as it was.
using DateText = std::function<bool(double seconds, std::string& out)>;

// Refers to the type, the array and the DateText. Not thread safe; cheap to make.
class BoundColumn {
 public:
  // `array`: the column's; `offset`: of its first row in it beside the array's own. REQUIRES: not kRefused.
  BoundColumn(const ColumnType& type, const ArrowArray& array, int64_t offset,
              const DateText* date_text = nullptr);

  bool is_null(size_t row) const;  // NaN is none: its text is ""
  // Appends the value's text. REQUIRES: not null.
  void append_text(size_t row, std::string& out);

  // Of a dictionary column: its values, and which of them a row has. REQUIRES: not null.
  BoundColumn* dictionary() { return dictionary_.get(); }
  size_t dictionary_size() const { return dictionary_size_; }
  size_t index(size_t row) const;

  // The text as it lies. REQUIRES: kText, no dictionary, not null.
  bool is_text() const { return type_.kind == ValueKind::kText && !dictionary_; }
  std::string_view view(size_t row) const;

  // 64 bits that tell the value from others of the column, where there are such. REQUIRES: not null.
  bool has_bits() const;
  bool bits_are_texts() const;  // values of different bits have different texts
  uint64_t bits(size_t row) const;

  // Copies numbers, NaN where a row has none. False for a column that is not of whole numbers or floats:
  // nothing is written.
  bool copy_numbers(size_t first, size_t count, double* out) const;

 private:
  template <class T>
  const T* values() const {
    return static_cast<const T*>(array_.buffers[1]) + start_;
  }
  void append_seconds(int64_t value, int64_t unit, std::string& out);

  const ColumnType& type_;
  const ArrowArray& array_;
  size_t start_;
  const unsigned char* valid_ = nullptr;  // a bit each; null: no row is missing
  const DateText* date_text_;
  ZoneClock clock_;
  std::unique_ptr<ColumnType> value_type_;  // of the dictionary: the type without indices
  std::unique_ptr<BoundColumn> dictionary_;
  size_t dictionary_size_ = 0;
};

}  // namespace maeil::columnar
