#include "table/columnar_records.h"

#include <numeric>

#include "format/csv.h"

namespace maeil::table {
namespace {

std::vector<size_t> all_columns(size_t n) {
  std::vector<size_t> out(n);
  std::iota(out.begin(), out.end(), size_t{0});
  return out;
}

}  // namespace

columnar::DateText date_text_of(const std::optional<DateFormat>& format) {
  // Days are written as this one reads them anyway, and times it has none.
  if (!format || format->text() == "%Y-%m-%d") return {};
  return [format = *format](double seconds, std::string& out) {
    constexpr double kFirst = -62135596800, kEnd = 253402300800;  // the years 1 to 9999
    if (seconds < kFirst || seconds >= kEnd) return false;
    const std::string text = format.write(seconds, "");
    if (format.read(text) != seconds) return false;
    out += text;
    return true;
  };
}

ColumnarRecords::ColumnarRecords(std::shared_ptr<const ColumnarFile> file)
    : file_(std::move(file)), reader_(file_->rows, all_columns(file_->names.size())) {}

void ColumnarRecords::bind() {
  columns_.clear();
  for (size_t c = 0; c < file_->names.size(); ++c) {
    columns_.push_back(
        batch_.key(c) ? nullptr
                      : std::make_unique<columnar::BoundColumn>(batch_.column(c, &file_->date_texts[c])));
  }
}

Result<bool> ColumnarRecords::next(std::string& record) {
  if (row_ == batch_.rows) {
    columns_.clear();  // they refer to the batch
    MAEIL_ASSIGN(const bool more, reader_.next(batch_));
    if (!more) return false;
    row_ = 0;
    bind();
  }
  record.clear();
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (c > 0) record += ',';
    if (!columns_[c]) {
      format::append_csv_text(record, *batch_.key(c));
    } else if (!columns_[c]->is_null(row_)) {
      field_.clear();
      columns_[c]->append_text(row_, field_);
      format::append_csv_text(record, field_);
    }
  }
  if (record.empty()) record = "\"\"";
  ++row_;
  ++number_;
  return true;
}

}  // namespace maeil::table
