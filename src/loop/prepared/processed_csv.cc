#include "loop/prepared/processed_csv.h"

#include <cmath>

#include "format/csv.h"
#include "format/number_text.h"

namespace maeil::loop {

std::string processed_csv_header(const table::DatasetSpec& spec, const prep::Preparation& preparation) {
  std::string out(format::kUtf8Bom);
  const auto add = [&](const std::string& name) {
    format::append_csv_text(out, name);
    out += ',';
  };
  for (const auto& f : preparation.categorical) add(f.name);
  for (const auto& f : preparation.numeric) add(f.name);
  add(spec.target);
  for (const auto& column : spec.columns) {
    if (column.keep_date) add(column.name);
  }
  return out + "split\n";
}

void append_processed_rows(const prep::Prepared& prepared, const std::vector<prep::Split>& splits,
                           format::TextBuffer& out) {
  if (prepared.rows == 0) return;
  const size_t C = prepared.codes.size() / prepared.rows, N = prepared.numbers.size() / prepared.rows;
  constexpr size_t kDate = 16;  // "2024-05-31"
  const size_t longest_line = (C + N + 2) * (format::kMaxNumberText + 1) + prepared.dates.size() * kDate;
  const int32_t* code = prepared.codes.data();
  const double* number = prepared.numbers.data();
  for (size_t row = 0; row < prepared.rows; ++row) {
    char* at = out.reserve(longest_line);
    for (size_t f = 0; f < C; ++f) {
      at = format::write_integer(at, *code++);
      *at++ = ',';
    }
    for (size_t f = 0; f < N; ++f) {
      if (!std::isnan(*number)) at = format::write_float(at, *number);  // missing: nothing
      ++number;
      *at++ = ',';
    }
    if (prepared.labels[row] >= 0) *at++ = static_cast<char>('0' + prepared.labels[row]);
    *at++ = ',';
    for (const auto& date : prepared.dates) {
      const std::string& text = date.values[row];
      std::memcpy(at, text.data(), text.size());  // NOLINT(bugprone-not-null-terminated-result)
      at += text.size();
      *at++ = ',';
    }
    const std::string_view split = prep::to_string(splits[row]);
    std::memcpy(at, split.data(), split.size());
    at += split.size();
    *at++ = '\n';
    out.advance(at);
  }
}

}  // namespace maeil::loop
