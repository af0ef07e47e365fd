#include "cli/columnar_files.h"

#include <fmt/format.h>

#include "base/progress.h"
#include "cli/output.h"
#include "columnar/part_files.h"
#include "format/csv.h"
#include "store/document.h"
#include "table/csv_table.h"
#include "table/row_output.h"

namespace maeil::cli {
namespace {

using store::Document;

// No column is read but the one that tells how many rows there are.
Result<uint64_t> count_rows(const table::RowFile& file) {
  columnar::BatchReader reader(file.columnar()->rows, {});
  columnar::Batch batch;
  for (uint64_t rows = 0;; rows += batch.rows) {
    MAEIL_ASSIGN(const bool more, reader.next(batch));
    if (!more) return rows;
  }
}

}  // namespace

Result<std::optional<table::RowFile>> open_columnar(const DataFileOptions& options) {
  using Opened = std::optional<table::RowFile>;
  MAEIL_ASSIGN(const auto files, columnar::part_files(options.in));
  if (files.size() == 1) {
    MAEIL_ASSIGN(const MappedFile first, MappedFile::open(files[0]));
    if (!columnar::is_columnar(first.bytes())) return Opened();
  }
  if (!options.encoding.empty() || !options.delimiter.empty() || !options.quote.empty() ||
      !options.escape.empty() || options.header >= 0 || options.preamble >= 0 || options.footnote >= 0) {
    return usage_error(
        fmt::format("{} is no text: --encoding, --delimiter and the like say nothing of it", options.in));
  }
  MAEIL_ASSIGN(auto file, table::RowFile::open(options.in, nullptr));
  return Opened(std::move(file));
}

Result<int> inspect_columnar(Context& context, const table::RowFile& file) {
  const auto& rows = file.columnar()->rows;
  MAEIL_ASSIGN(const uint64_t count, count_rows(file));
  if (context.json) {
    Document columns = Document::array();
    for (const auto& column : rows.columns())
      columns.push_back({{"name", column.name}, {"type", column.type.name}});
    print_json({{"path", rows.name()},
                {"format", rows.how()},
                {"columns", columns},
                {"rows", count},
                {"left_out", rows.left_out()}});
    return 0;
  }
  print_line(rows.name());
  print_line(fmt::format("  format       {}", rows.how()));
  for (const auto& column : rows.columns())
    print_line(fmt::format("  column       {} ({})", format::clip_utf8(column.name, 80), column.type.name));
  for (const auto& line : rows.left_out()) print_line(fmt::format("  {}", line));
  print_line(fmt::format("  rows         {}", count));
  return 0;
}

Result<int> convert_columnar(Context& context, const table::RowFile& file, const DataFileOptions& options) {
  for (const auto& line : file.columnar()->rows.left_out())
    note(fmt::format("{}: {}", file.name(), line), LogLevel::kWarning);
  MAEIL_ASSIGN(auto out, table::RowOutput::create(options.out));
  MAEIL_ASSIGN(auto reader, table::RowReader::begin(file));
  Progress progress(!context.json);
  std::string text;
  for (const auto& name : reader.names()) {
    if (&name != &reader.names().front()) text += ',';
    format::append_csv_text(text, name);
  }
  text += '\n';
  format::CsvRecord record;
  uint64_t rows = 0;
  for (;; ++rows) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) break;
    text += record.bytes;
    text += '\n';
    if (text.size() < (1 << 20)) continue;
    MAEIL_TRY(out.write(text));
    text.clear();
    progress.update("rows", rows, 0);
  }
  MAEIL_TRY(out.write(text));
  MAEIL_TRY(out.commit());
  progress.finish();
  if (context.json)
    print_json({{"path", options.out}, {"format", file.how()}, {"columns", reader.names()}, {"rows", rows}});
  else
    print_line(fmt::format("{}: {} -> {} rows of {} columns in {}", file.name(), file.how(), rows,
                           reader.names().size(), options.out));
  return 0;
}

}  // namespace maeil::cli
