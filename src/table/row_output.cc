#include "table/row_output.h"

#include <fmt/format.h>

#include <cmath>

#include "columnar/plugin.h"
#include "format/csv.h"
#include "table/csv_table.h"
#include "table/dates.h"
#include "table/infer.h"

namespace maeil::table {
namespace {

using columnar::ColumnBuilder;
using columnar::OutColumn;
using columnar::OutKind;

// Cut by rows alone, so that the bytes do not depend on how the CSV was read.
constexpr size_t kBatchRows = size_t{1} << 16;
constexpr size_t kMostTextBytes = size_t{1} << 30;  // of a column in a batch, whose places have 31 bits

std::vector<OutColumn> columns_of(const InferredColumns& found) {
  std::vector<OutColumn> out;
  for (size_t c = 0; c < found.spec.columns.size(); ++c) {
    const SpecColumn& column = found.spec.columns[c];
    OutKind kind = OutKind::kText;
    if (column.type == SpecType::kNumber)
      kind = found.formats[c] == NumberFormat::kInteger ? OutKind::kWhole : OutKind::kNumber;
    if (column.type == SpecType::kDate && column.format && column.format->text() == "%Y-%m-%d")
      kind = OutKind::kDate;
    out.push_back({column.name, kind});
  }
  return out;
}

// The spec by which the CSV is read into such columns.
DatasetSpec spec_of(const std::vector<OutColumn>& columns) {
  DatasetSpec out;
  out.name = "rows";
  for (const auto& column : columns) {
    const bool number = column.kind == OutKind::kWhole || column.kind == OutKind::kNumber;
    out.columns.push_back({.name = column.name, .type = number ? SpecType::kNumber : SpecType::kText});
  }
  return out;
}

// One value; false where it is none of the kind.
bool add_value(const Column& column, size_t row, OutKind kind, ColumnBuilder& out) {
  if (column.is_missing(row)) {
    out.add_missing();
    return true;
  }
  switch (kind) {
    case OutKind::kText:
      out.add(column.text(row));
      return true;
    case OutKind::kNumber:
      out.add(column.numbers[row]);
      return true;
    case OutKind::kWhole: {
      const double value = column.numbers[row];
      if (value != std::floor(value) || std::abs(value) >= 0x1p63) return false;
      out.add(static_cast<int64_t>(value));
      return true;
    }
    case OutKind::kDate: {
      const auto day = read_day(column.text(row));
      if (!day) return false;
      out.add_day(static_cast<int32_t>(day->time_since_epoch().count()));
      return true;
    }
  }
  return false;
}

Status write_as(columnar::ArrowFileKind kind, RowFile& csv, std::vector<OutColumn> columns, AtomicFile& out) {
  if (columns.empty()) {
    MAEIL_ASSIGN(const auto found, infer_columns(csv, nullptr, "", Unclear::kText));
    columns = columns_of(found);
  }
  const DatasetSpec spec = spec_of(columns);
  std::vector<ColumnBuilder> batch;
  for (const auto& column : columns) batch.emplace_back(column.kind);
  MAEIL_ASSIGN(auto writer,
               columnar::FileWriter::begin(kind, columns, out.path().string(),
                                           [&](std::string_view bytes) { return out.write(bytes); }));
  const auto flush = [&]() -> Status {
    if (batch.empty() || batch[0].rows() == 0) return {};
    return writer.append(columnar::take_batch(batch));
  };
  uint64_t rows = 0;
  MAEIL_ASSIGN(const auto report,
               read_csv_file(csv, spec, {.target_required = false},
                             [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                               for (size_t row = 0; row < chunk.rows; ++row) {
                                 bool full = ++rows % kBatchRows == 0;
                                 for (size_t c = 0; c < columns.size(); ++c) {
                                   if (!add_value(chunk.columns[c], row, columns[c].kind, batch[c]))
                                     return bad_input(
                                         fmt::format("{}: row {}: column '{}' has a value that is "
                                                     "none of its type's: write a CSV file",
                                                     out.path().string(), rows, columns[c].name));
                                   full |= batch[c].bytes() > kMostTextBytes;
                                 }
                                 if (full) MAEIL_TRY(flush());
                               }
                               return {};
                             }));
  if (report.quarantined > 0)
    return bad_input(fmt::format("{}: {} rows cannot be written: {}", out.path().string(), report.quarantined,
                                 report.first_unreadable.reason));
  MAEIL_TRY(flush());
  return writer.finish();
}

}  // namespace

Result<RowOutput> RowOutput::create(const std::filesystem::path& path, std::vector<OutColumn> columns) {
  const auto kind = columnar::kind_by_name(path.string());
  if (kind) MAEIL_TRY(columnar::load_plugin(path.string()));
  MAEIL_ASSIGN(AtomicFile file,
               AtomicFile::create(path, kind ? AtomicFile::Access::kPrivate : AtomicFile::Access::kShared));
  return RowOutput(std::move(file), path, kind, std::move(columns));
}

Status RowOutput::commit() {
  if (!kind_) return file_.commit();
  MAEIL_ASSIGN(MappedFile csv, file_.map());
  RowFile rows = RowFile::own(std::move(csv), path_.string());
  MAEIL_ASSIGN(AtomicFile out, AtomicFile::create(path_));
  MAEIL_TRY(write_as(*kind_, rows, std::move(columns_), out));
  return out.commit();
}

}  // namespace maeil::table
