// CSV files as tables, typed by the dataset spec, chunk after chunk: bounded memory at any number of rows.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "format/text_buffer.h"
#include "table/dataset_spec.h"
#include "table/number_format.h"
#include "table/read_report.h"
#include "table/row_file.h"
#include "table/set_aside.h"
#include "table/table.h"

namespace maeil::table {

inline constexpr size_t kChunkRows = 2048;      // at most; a chunk ends early
inline constexpr size_t kChunkBytes = 8 << 20;  // after so many bytes of CSV

// A chunk: its rows, and the index (from 0, among the file's records) of each.
struct CsvChunk {
  Table table;
  std::vector<uint64_t> row_index;
};
using ChunkSink = std::function<Status(Table&& chunk, const std::vector<uint64_t>& row_index)>;

struct ReadOptions {
  bool target_required = true;  // false: a file to predict may lack the target's column
  bool any_target = false;      // true: a third value of the target is one more, as a fit by classes has it
  // true: a row whose target is neither value is one without a label, and counted (ReadReport::other_labels),
  // where the spec names the negative one: rows that are there to be scored
  bool other_label_is_none = false;
  // Rows to leave out, quarantined with their reasons; must outlive the reading. `first_row`: the number of
  // the file's first record among them.
  const SetAside* set_aside = nullptr;
  uint64_t first_row = 0;
};

// Calls `sink` with every chunk in order. Columns come in the spec's order; an optional column that the file
// lacks is all missing. In numbers and dates, what pandas takes for missing ("NA", "NULL" ...,
// field_values.h) is missing; in texts only an empty field is. A record with a wrong field count, bytes that
// are not UTF-8, a NUL byte, a number that is none or a target that is neither value is quarantined, not an
// error; the target's values stand as the spec has them (target_value.h). kBadInput: names that check_names
// refuses, a missing column, a record without end, a third value of a target whose negative one the spec does
// not name. The bytes are plain CSV; files may be in any dialect (row_file.h).
Result<ReadReport> read_csv(std::string_view bytes, const std::string& file_name, const DatasetSpec& spec,
                            const ReadOptions& options, const ChunkSink& sink);
Result<ReadReport> read_csv_file(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                 const ChunkSink& sink);
// Opened by the spec's [read].
Result<ReadReport> read_csv_file(const std::filesystem::path& path, const DatasetSpec& spec,
                                 const ReadOptions& options, const ChunkSink& sink);

// The same for heavy work: `work` is called for the chunks on all threads at once and must be thread safe;
// `finish` gets its results in order, one at a time. Results of type Out are used again for later chunks.
// Memory: pipeline_slots() chunks.
template <class Out>
Result<ReadReport> read_csv_file_as(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                    const std::function<Status(const CsvChunk&, Out&)>& work,
                                    const std::function<Status(Out&)>& finish);

// What read_csv_file_as is made of: chunks and results live in slots, as in run_pipeline.
Result<ReadReport> read_csv_file_in_slots(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                          size_t slots,
                                          const std::function<Status(size_t slot, const CsvChunk&)>& work,
                                          const std::function<Status(size_t slot)>& finish);

template <class Out>
Result<ReadReport> read_csv_file_as(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                    const std::function<Status(const CsvChunk&, Out&)>& work,
                                    const std::function<Status(Out&)>& finish) {
  std::vector<Out> results(pipeline_slots());
  return read_csv_file_in_slots(
      file, spec, options, results.size(),
      [&](size_t slot, const CsvChunk& chunk) { return work(chunk, results[slot]); },
      [&](size_t slot) { return finish(results[slot]); });
}

// How tables become CSV text as SDV's users write it: UTF-8 with BOM, missing is empty, numbers as Python
// writes them. Immutable, so threads may share it.
class CsvFormat {
 public:
  CsvFormat(std::vector<std::string> names, std::vector<NumberFormat> formats);
  const std::string& header() const { return header_; }  // the BOM and the first line
  // The lines of a chunk. REQUIRES: the columns that the format was made with.
  void append_rows(const Table& chunk, format::TextBuffer& out) const;

 private:
  std::vector<NumberFormat> formats_;
  std::string header_;
};

}  // namespace maeil::table
