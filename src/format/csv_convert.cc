#include "format/csv_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "format/csv.h"
#include "format/csv_records.h"

namespace maeil::format {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr size_t kExamples = 20;
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

// A record that is kept until it is known whether rows follow.
struct Held {
  std::vector<std::string> fields;
  uint64_t line;
  bool stray;
};

class Converter {
 public:
  Converter(const CsvDialect& dialect, bool any_width, const std::function<Status(std::string_view)>& sink)
      : dialect_(dialect), any_width_(any_width), sink_(sink) {}

  Status begin(std::vector<std::string> names) {
    out_.names = std::move(names);
    return write(out_.names);
  }

  Status take(const DelimitedRecord& record) {
    const bool nul = std::ranges::any_of(
        record.fields, [](std::string_view field) { return field.find('\0') != std::string_view::npos; });
    if (record.too_long || nul) {
      ++out_.left_out;
      note(record.line, nul ? "a NUL byte: left out" : "longer than a record may be (1 MiB): left out");
      return {};
    }
    const bool may_be_note =
        std::all_of(record.fields.begin() + std::min<ptrdiff_t>(1, std::ssize(record.fields)),
                    record.fields.end(), [](std::string_view field) { return field.empty(); });
    if (may_be_note || dialect_.footnote > 0) {
      Held held{{record.fields.begin(), record.fields.end()}, record.line, record.stray};
      if (dialect_.footnote > 0 || is_note(held.fields, dialect_.fields)) {
        held_.push_back(std::move(held));
        const size_t most = dialect_.footnote > 0 ? dialect_.footnote : kMostNotes;
        return held_.size() > most ? release() : Status{};
      }
    }
    while (!held_.empty()) MAEIL_TRY(release());
    return row(record.fields, record.line, record.stray);
  }

  Result<Conversion> end() {
    for (const auto& one : held_) {
      ++out_.notes;
      note(one.line, "no row: a note behind the last one");
    }
    if (!piece_.empty()) MAEIL_TRY(sink_(piece_));
    return std::move(out_);
  }

 private:
  void note(uint64_t line, std::string what) {
    if (out_.examples.size() < kExamples) out_.examples.push_back({line, std::move(what)});
  }

  Status release() {
    const Held first = std::move(held_.front());
    held_.pop_front();
    return row(first.fields, first.line, first.stray);
  }

  Status row(const auto& fields, uint64_t line, bool stray) {
    const size_t width = dialect_.fields;
    if (fields.size() != width) {
      const std::string what = fmt::format("{} fields instead of {}", fields.size(), width);
      if (!any_width_) {
        ++out_.left_out;
        note(line, what + ": left out");
        return {};
      }
      ++(fields.size() < width ? out_.padded : out_.longer);
      note(line, what + (fields.size() < width ? ": filled up" : ": kept"));
    } else if (stray) {
      ++out_.stray;
      note(line, "a quote that closes nothing, or that nothing closes, was taken for text");
    }
    ++out_.rows;
    return write(fields);
  }

  Status write(const auto& fields) {
    const size_t width = std::max(out_.names.size(), dialect_.fields);
    for (size_t f = 0; f < std::max(fields.size(), width); ++f) {
      if (f > 0) piece_ += ',';
      if (f < fields.size()) append_csv_text(piece_, fields[f]);
    }
    if (width == 1 && (fields.empty() || fields[0].empty()))
      piece_ += "\"\"";  // an empty line would be no row
    piece_ += '\n';
    if (piece_.size() < kPiece) return {};
    MAEIL_TRY(sink_(piece_));
    piece_.clear();
    return {};
  }

  const CsvDialect& dialect_;
  const bool any_width_;
  const std::function<Status(std::string_view)>& sink_;
  Conversion out_;
  std::deque<Held> held_;
  std::string piece_;
};

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

Result<Conversion> to_plain_csv(std::string_view text, const CsvDialect& dialect, bool any_width,
                                const std::function<Status(std::string_view)>& sink) {
  Converter converter(dialect, any_width, sink);
  DelimitedReader reader(text, dialect);
  DelimitedRecord record;
  std::vector<std::vector<std::string>> header;
  bool named = false;
  const auto begin = [&]() -> Status {
    named = true;
    const bool one_short = !header.empty() && header[0].size() + 1 == dialect.fields;
    return converter.begin(
        column_names(header, dialect.fields, one_short && first_is_different(text, dialect)));
  };
  while (reader.next(record)) {
    if (record.line <= dialect.preamble) continue;
    if (header.size() < dialect.header) {
      header.emplace_back(record.fields.begin(), record.fields.end());
      continue;
    }
    if (!named) MAEIL_TRY(begin());
    MAEIL_TRY(converter.take(record));
  }
  if (!named) MAEIL_TRY(begin());
  return converter.end();
}

}  // namespace maeil::format
