// Nearly every record has no quotes: split_plain finds where its fields end, without a view for each.
#include "format/csv_row.h"

#include <fmt/format.h>

namespace maeil::format {

std::string CsvRow::split(std::string_view record) {
  record_ = record;
  plain_ = !rules_ && split_plain(record, ends_, width_);
  if (!plain_) {
    unescaped_.clear();
    const auto why = split_record(record, fields_, unescaped_, width_);
    if (!why.empty()) return fmt::format("the row has {}", why);
  }
  const size_t found = plain_ ? ends_.size() : fields_.size();
  if (found == width_ && rules_) return apply_rules(*rules_, fields_, unescaped_);
  return found == width_ ? "" : fmt::format("{} fields instead of {}", found, width_);
}

}  // namespace maeil::format
