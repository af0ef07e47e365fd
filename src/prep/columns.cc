#include "prep/columns.h"

#include <limits>

namespace maeil::prep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The first `count` characters (code points) of UTF-8 text.
std::string_view first_characters(std::string_view text, int count) {
  size_t at = 0;
  while (at < text.size() && count-- > 0) {
    ++at;
    while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
  }
  return text.substr(0, at);
}

// Days since 1970-01-01 in each row of a date column, or of a fixed date; NaN where missing or unreadable.
void day_numbers(const table::DatasetSpec& spec, const Table& chunk, const std::string& name,
                 std::vector<double>& out) {
  const table::SpecColumn* column = spec.find(name);
  if (!column) {
    out.assign(chunk.rows, static_cast<double>(parse_date(name)->time_since_epoch().count()));
    return;
  }
  double missing = kNaN;
  if (column->missing_date)
    missing = static_cast<double>(parse_date(*column->missing_date)->time_since_epoch().count());
  const Column& texts = chunk.columns[column_index(spec, name)];
  std::vector<double> days;
  for (const auto& text : texts.dictionary) {
    const auto date = readable_date(*column, text);
    days.push_back(date ? static_cast<double>(date->time_since_epoch().count()) : missing);
  }
  out.resize(chunk.rows);
  for (size_t row = 0; row < chunk.rows; ++row)
    out[row] = texts.is_missing(row) ? missing : days[texts.codes[row]];
}

}  // namespace

std::optional<Days> readable_date(const table::SpecColumn& column, std::string_view text) {
  using namespace std::chrono_literals;
  constexpr Days kFirst{1677y / 9 / 22}, kLast{2262y / 4 / 11};
  const auto date = table::read_day(text, column.format);
  return date && *date >= kFirst && *date <= kLast ? date : std::nullopt;
}

std::string category_text(const table::SpecColumn& spec, std::string_view text) {
  std::string out(spec.first_characters > 0 ? first_characters(text, spec.first_characters) : text);
  if (spec.lower_case) {
    for (char& c : out) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

void numeric_values(const table::DatasetSpec& spec, const Table& chunk, const std::string& feature,
                    std::vector<double>& out) {
  for (const auto& count : spec.day_counts) {
    if (count.name != feature) continue;
    std::vector<double> from;
    day_numbers(spec, chunk, count.from, from);
    day_numbers(spec, chunk, count.to, out);
    for (size_t row = 0; row < chunk.rows; ++row) out[row] -= from[row];
    return;
  }
  out = chunk.columns[column_index(spec, feature)].numbers;
}

size_t column_index(const table::DatasetSpec& spec, std::string_view name) {
  return spec.find(name) - spec.columns.data();
}

}  // namespace maeil::prep
