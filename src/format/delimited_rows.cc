#include "format/delimited_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace maeil::format {
namespace {

constexpr size_t kIndexRows = 1000;  // whose first fields must all be different

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// Whether the first field of the rows is another one in each: names of rows.
bool first_is_different(std::string_view text, const CsvDialect& dialect) {
  DelimitedReader reader(text, dialect);
  DelimitedRecord record;
  std::set<std::string, std::less<>> seen;
  for (size_t header = 0; seen.size() < kIndexRows && reader.next(record);) {
    if (record.line <= dialect.preamble || header++ < dialect.header ||
        record.fields.size() != dialect.fields)
      continue;
    if (!seen.emplace(record.fields[0]).second) return false;
  }
  return seen.size() > 1;
}

}  // namespace

std::vector<std::string> column_names(const std::vector<std::vector<std::string>>& header, size_t fields,
                                      bool first_is_index) {
  std::vector<std::string> out;
  for (size_t f = 0; header.empty() && f < fields; ++f) out.push_back(fmt::format("col_{}", f));
  for (size_t h = 0; h < header.size(); ++h) {
    if (h > 0 && header[h] == header[h - 1]) continue;
    std::string left;
    if (header[h].size() > out.size()) out.resize(header[h].size());
    for (size_t f = 0; f < header[h].size(); ++f) {
      std::string word = trimmed(header[h][f]);
      const bool below =
          std::any_of(header.begin() + static_cast<ptrdiff_t>(h) + 1, header.end(),
                      [&](const auto& row) { return f < row.size() && !trimmed(row[f]).empty(); });
      if (word.empty() && below) word = left;
      left = word;
      out[f] += (out[f].empty() || word.empty() ? "" : " ") + word;
    }
  }
  while (out.size() > fields && out.back().empty()) out.pop_back();
  if (first_is_index && out.size() + 1 == fields) out.insert(out.begin(), "");
  if (out.size() < fields) out.resize(fields);
  return out;
}

DelimitedRows::DelimitedRows(std::string_view text, const CsvDialect& dialect)
    : dialect_(dialect), reader_(text, dialect) {
  std::vector<std::vector<std::string>> header;
  while ((is_ahead_ = reader_.next(ahead_))) {
    if (ahead_.line <= dialect.preamble) continue;
    if (header.size() == dialect.header) break;
    header.emplace_back(ahead_.fields.begin(), ahead_.fields.end());
  }
  const bool one_short = !header.empty() && header[0].size() + 1 == dialect.fields;
  names_ = column_names(header, dialect.fields, one_short && first_is_different(text, dialect));
}

bool DelimitedRows::may_be_note(const DelimitedRecord& record) const {
  if (record.too_long) return false;
  if (dialect_.footnote > 0) return true;
  if (!std::all_of(record.fields.begin() + std::min<ptrdiff_t>(1, std::ssize(record.fields)),
                   record.fields.end(), [](std::string_view field) { return field.empty(); }))
    return false;
  return is_note({record.fields.begin(), record.fields.end()}, dialect_.fields);
}

void DelimitedRows::release(DelimitedRecord& row) {
  given_ = std::move(held_.front());
  held_.pop_front();
  row = {.fields = {given_.fields.begin(), given_.fields.end()}, .line = given_.line, .stray = given_.stray};
}

bool DelimitedRows::next(DelimitedRecord& row) {
  const size_t most = dialect_.footnote > 0 ? dialect_.footnote : kMostNotes;
  for (;;) {
    if (held_.size() > most) return release(row), true;
    if (!is_ahead_ && !reader_.next(ahead_)) {
      for (const auto& one : held_) notes_.push_back(one.line);
      held_.clear();
      return false;
    }
    is_ahead_ = true;
    if (may_be_note(ahead_)) {
      held_.push_back({{ahead_.fields.begin(), ahead_.fields.end()}, ahead_.line, ahead_.stray});
      is_ahead_ = false;
      continue;
    }
    if (!held_.empty()) return release(row), true;
    is_ahead_ = false;
    row.fields.swap(ahead_.fields);
    row.line = ahead_.line, row.stray = ahead_.stray, row.too_long = ahead_.too_long;
    return true;
  }
}

}  // namespace maeil::format
