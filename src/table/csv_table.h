// CSV files as tables, typed by the dataset spec, chunk after chunk: bounded memory at any number of rows.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/dataset_spec.h"
#include "table/number_format.h"
#include "table/table.h"

namespace maeil::table {

inline constexpr size_t kChunkRows = 8192;       // at most; a chunk ends early
inline constexpr size_t kChunkBytes = 32 << 20;  // after so many bytes of CSV
inline constexpr size_t kMaxCsvColumns = 4096;   // of a file, those that the spec does not know included

struct Quarantined {
  uint64_t line = 0;  // in the file, from 1
  std::string reason;
};

// Rows that could be read, and those that could not.
struct ReadReport {
  uint64_t rows = 0;         // records, the quarantined included
  uint64_t quarantined = 0;
  std::vector<Quarantined> examples;       // the first 100
  std::vector<std::string> ignored_columns;  // in the file, not in the spec
};

// A chunk: its rows, and the index (from 0, among the file's records) of each.
using ChunkSink = std::function<Status(Table&& chunk, const std::vector<uint64_t>& row_index)>;

struct ReadOptions {
  bool target_required = true;  // false: a file to predict may lack the target's column
};

// Calls `sink` with every chunk in order. Columns come in the spec's order; an optional column that the file lacks is
// all missing. A record with a wrong field count, bytes that are not UTF-8, a NUL byte, a number that is none or a target
// that is neither value is quarantined, not an error. kBadInput: no header, a column twice or missing, a record without end.
Result<ReadReport> read_csv(std::string_view bytes, const std::string& file_name, const DatasetSpec& spec, const ReadOptions& options,
                            const ChunkSink& sink);
Result<ReadReport> read_csv_file(const std::filesystem::path& path, const DatasetSpec& spec, const ReadOptions& options,
                                 const ChunkSink& sink);

// kBadInput when more than `share` of the rows are quarantined; names the first of them.
Status check_quarantine(const ReadReport& report, const std::string& file_name, double share = 0.05);

// Writes tables as SDV's users do: UTF-8 with BOM, missing is empty, numbers as Python writes them. Not thread safe.
class CsvWriter {
 public:
  using Sink = std::function<Status(std::string_view)>;
  CsvWriter(std::vector<std::string> names, std::vector<NumberFormat> formats, Sink sink);
  // REQUIRES: the columns that the writer was made with. Rows are formatted in parallel and written in order.
  Status write(const Table& chunk);

 private:
  std::vector<NumberFormat> formats_;
  Sink sink_;
  std::string header_;
};

}  // namespace maeil::table
