// A header is judged together with the first record after it: a header alone can contain any character, but
// the record below it is separated as it is.
#include "table/csv_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace maeil::table {
namespace {

// How often a separator stands outside of quotes.
size_t count(std::string_view record, char separator) {
  size_t out = 0;
  bool quoted = false;
  for (const char c : record) {
    if (c == '"') quoted = !quoted;
    out += c == separator && !quoted;
  }
  return out;
}

// Another separator than the comma that the header, and the record after it, are made of; "" when it is the
// comma.
std::string_view likely_separator(std::string_view header, std::string_view first) {
  static constexpr std::pair<char, std::string_view> kSeparators[] = {
      {';', "semicolons (';')"}, {'\t', "tabs"}, {'|', "pipes ('|')"}};
  const size_t commas = count(header, ',');
  for (const auto& [separator, name] : kSeparators) {
    const size_t there = count(header, separator);
    if (there <= commas) continue;
    if (first.empty() || (commas == 0 && count(first, separator) > 0)) return name;
    if (count(first, separator) == there && count(first, ',') != commas) return name;
  }
  return "";
}

}  // namespace

Result<std::vector<std::string>> read_csv_header(format::CsvReader& reader, std::string_view bytes,
                                                 const std::string& file_name) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
    return bad_input(fmt::format("{} is UTF-16; save it as UTF-8", file_name));
  const std::string_view begin = bytes.substr(0, format::kMaxCsvRecord);
  if (const size_t cr = begin.find('\r');
      cr != std::string_view::npos && cr + 1 < bytes.size() && begin.find('\n') == std::string_view::npos) {
    return bad_input(fmt::format(
        "{}: its lines end with CR alone, as old Macs wrote them; save it with LF or CRLF", file_name));
  }
  format::CsvRecord record;
  MAEIL_ASSIGN(const bool any, reader.next(record));
  if (!any) return bad_input(fmt::format("{} is empty: a header line is expected", file_name));
  if (record.bytes.size() <= 5 && record.bytes.starts_with("sep=")) {
    return bad_input(fmt::format(
        "{}:{}: '{}' is a line for Excel, not a header: take it out, and separate the fields by commas",
        file_name, record.line, record.bytes));
  }
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  const auto why = format::split_record(record.bytes, names, unescaped, kMaxCsvColumns + 1);
  format::CsvReader ahead = reader;
  format::CsvRecord first;
  const auto more = ahead.next(first);
  const auto separator = likely_separator(record.bytes, more && *more ? first.bytes : "");
  if (!separator.empty() && format::is_utf8(record.bytes)) {
    return bad_input(
        fmt::format("{}:{}: the fields seem to be separated by {}, and only commas are read as the "
                    "separator: save the file with commas (and decimal points); its header begins '{}'",
                    file_name, record.line, separator, format::clip_utf8(record.bytes, 60)));
  }
  if (names.size() > kMaxCsvColumns) {
    return bad_input(
        fmt::format("{}:{}: the header names more than {} columns", file_name, record.line, kMaxCsvColumns));
  }
  if (!why.empty()) return bad_input(fmt::format("{}:{}: the header has {}", file_name, record.line, why));
  std::set<std::string_view> known;
  for (const auto name : names) {
    if (known.insert(name).second) continue;
    return bad_input(fmt::format("{}:{}: the column '{}' is there twice", file_name, record.line,
                                 format::clip_utf8(name, 80)));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace maeil::table
