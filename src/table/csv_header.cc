#include "table/csv_header.h"

#include <fmt/format.h>

#include <deque>
#include <set>

namespace maeil::table {

Result<std::vector<std::string>> read_csv_header(format::CsvReader& reader, const std::string& file_name) {
  format::CsvRecord record;
  MAEIL_ASSIGN(const bool any, reader.next(record));
  if (!any) return bad_input(fmt::format("{} is empty: a header line is expected", file_name));
  const std::string place = fmt::format("{}:{}", file_name, record.line);
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  const auto why = format::split_record(record.bytes, names, unescaped, kMaxCsvColumns + 1);
  if (names.size() <= kMaxCsvColumns && !why.empty())
    return bad_input(fmt::format("{}: the header has {}", place, why));
  MAEIL_TRY(check_names(names, place));
  return std::vector<std::string>(names.begin(), names.end());
}

Status check_names(const std::vector<std::string_view>& names, const std::string& place) {
  if (names.size() > kMaxCsvColumns)
    return bad_input(fmt::format("{}: the header names more than {} columns", place, kMaxCsvColumns));
  std::set<std::string_view> known;
  for (const auto name : names) {
    if (known.insert(name).second) continue;
    return bad_input(fmt::format("{}: the column '{}' is there twice", place, format::clip_utf8(name, 80)));
  }
  return {};
}

}  // namespace maeil::table
