#include "format/csv_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "format/csv.h"
#include "format/csv_records.h"

namespace maeil::format {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr size_t kExamples = 20;

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

}  // namespace

std::vector<std::string> column_names(const std::vector<std::vector<std::string>>& header, size_t fields) {
  std::vector<std::string> out(fields);
  for (size_t f = 0; header.empty() && f < fields; ++f) out[f] = fmt::format("col_{}", f);
  for (size_t h = 0; h < header.size(); ++h) {
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
  return out;
}

Result<Conversion> to_plain_csv(std::string_view text, const CsvDialect& dialect, bool any_width,
                                const std::function<Status(std::string_view)>& sink) {
  Conversion out;
  std::string piece;
  const auto note = [&](uint64_t line, std::string what) {
    if (out.examples.size() < kExamples) out.examples.push_back({line, std::move(what)});
  };
  const auto write = [&](const auto& fields, size_t width) -> Status {
    for (size_t f = 0; f < std::max(fields.size(), width); ++f) {
      if (f > 0) piece += ',';
      if (f < fields.size()) append_csv_text(piece, fields[f]);
    }
    if (width == 1 && (fields.empty() || fields[0].empty()))
      piece += "\"\"";  // an empty line would be no row
    piece += '\n';
    if (piece.size() < kPiece) return {};
    MAEIL_TRY(sink(piece));
    piece.clear();
    return {};
  };
  DelimitedReader reader(text, dialect);
  DelimitedRecord record;
  std::vector<std::vector<std::string>> header;
  size_t width = dialect.fields;
  const auto take_row = [&](const auto& fields, uint64_t line, bool stray) -> Status {
    if (fields.size() != width) {
      const std::string what = fmt::format("{} fields instead of {}", fields.size(), width);
      if (!any_width) {
        ++out.left_out;
        note(line, what + ": left out");
        return {};
      }
      ++(fields.size() < width ? out.padded : out.longer);
      note(line, what + (fields.size() < width ? ": filled up" : ": kept"));
    } else if (stray) {
      ++out.mended;
      note(line, "a quote that closes nothing, or that nothing closes, was taken for text");
    }
    ++out.rows;
    return write(fields, width);
  };
  // The last records may be footnotes: so many are held back.
  struct Held {
    std::vector<std::string> fields;
    uint64_t line;
    bool stray;
  };
  std::deque<Held> held;
  bool named = false;
  while (reader.next(record)) {
    if (record.line <= dialect.preamble) continue;
    if (header.size() < dialect.header) {
      header.emplace_back(record.fields.begin(), record.fields.end());
      continue;
    }
    if (!named) {
      out.names = column_names(header, width);
      MAEIL_TRY(write(out.names, width));
      named = true;
    }
    if (dialect.footnote == 0) {
      MAEIL_TRY(take_row(record.fields, record.line, record.stray));
      continue;
    }
    held.push_back({{record.fields.begin(), record.fields.end()}, record.line, record.stray});
    if (held.size() <= dialect.footnote) continue;
    MAEIL_TRY(take_row(held.front().fields, held.front().line, held.front().stray));
    held.pop_front();
  }
  if (!named) {
    out.names = column_names(header, width);
    MAEIL_TRY(write(out.names, width));
  }
  if (!piece.empty()) MAEIL_TRY(sink(piece));
  return out;
}

}  // namespace maeil::format
