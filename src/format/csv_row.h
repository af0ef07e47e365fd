// One record of a CSV file as a row that is as wide as the header: the one place where a record is taken for
// a row or not, and where the reason is said.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv.h"
#include "format/field_rules.h"

namespace maeil::format {

// Its memory is used again from record to record. Not thread safe.
class CsvRow {
 public:
  // `width`: of the header. `rules`: of its fields, for as long as the row lives; none: fields are as they
  // stand.
  explicit CsvRow(size_t width, const FieldRules* rules = nullptr)
      : width_(width), rules_(rules && !rules->empty() ? rules : nullptr) {}

  // Takes a record. "" or why it is no row: "2 fields instead of 3", "the row has a NUL byte", a field that
  // breaks the rules. The fields are views into the record, or into this, and good until the next call.
  std::string split(std::string_view record);

  size_t size() const { return width_; }
  // REQUIRES: split() returned "", i < size().
  std::string_view operator[](size_t i) const {
    if (!plain_) return fields_[i];
    const uint32_t begin = i == 0 ? 0 : ends_[i - 1] + 1;
    return record_.substr(begin, ends_[i] - begin);
  }
  // Whether field i lies in the record, as it does unless doubled quotes were taken out or rules wrote it.
  bool in_record(size_t i) const {
    return plain_ ||
           (fields_[i].data() >= record_.data() && fields_[i].data() <= record_.data() + record_.size());
  }

 private:
  size_t width_;
  const FieldRules* rules_;
  std::string_view record_;
  bool plain_ = true;           // `ends_` holds, else `fields_`
  std::vector<uint32_t> ends_;  // of split_plain
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;
};

}  // namespace maeil::format
