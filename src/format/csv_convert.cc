#include "format/csv_convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "format/csv.h"
#include "format/delimited_rows.h"

namespace maeil::format {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr size_t kExamples = 20;

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
    return row(record.fields, record.line, record.stray);
  }

  Result<Conversion> end(const std::vector<uint64_t>& notes) {
    for (const uint64_t line : notes) {
      ++out_.notes;
      note(line, "no row: a note behind the last one");
    }
    if (!piece_.empty()) MAEIL_TRY(sink_(piece_));
    return std::move(out_);
  }

 private:
  void note(uint64_t line, std::string what) {
    if (out_.examples.size() < kExamples) out_.examples.push_back({line, std::move(what)});
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
  std::string piece_;
};

}  // namespace

Result<Conversion> to_plain_csv(std::string_view text, const CsvDialect& dialect, bool any_width,
                                const std::function<Status(std::string_view)>& sink) {
  Converter converter(dialect, any_width, sink);
  DelimitedRows rows(text, dialect);
  MAEIL_TRY(converter.begin(rows.names()));
  DelimitedRecord record;
  while (rows.next(record)) MAEIL_TRY(converter.take(record));
  return converter.end(rows.notes());
}

}  // namespace maeil::format
