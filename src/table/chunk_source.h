// Where the rows of a table come from, chunk after chunk, and what all sources have in common: which columns
// of the file are those of the spec, which rows are set aside and why, what a target's values are, what the
// report says. The sources: the records of a CSV file (csv_table.cc), the columns of Parquet and Arrow files
// (columnar_chunks.cc).
//
// Inside of table/ only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/csv_table.h"

namespace maeil::table {

// Which field of the file each column of the spec is; -1: absent.
struct Layout {
  std::vector<int> field_of_column;
  size_t fields = 0;
};

// A column that a source is to read.
struct Wanted {
  size_t column = 0;  // of the spec
  const SpecColumn* spec = nullptr;
  bool missing_words = false;  // what pandas takes for missing is missing, beside what is empty
};

// Chunks live in slots, from take() to finished(), as in run_pipeline. `wrong` is of a chunk's rows: why each
// is set aside, or "".
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  virtual const std::vector<std::string>& names() const = 0;
  // Once, before anything else.
  virtual void begin(const Layout& layout, size_t slots) = 0;

  // Takes the next rows, at most kChunkRows; how many. 0: there are none any more. One call at a time.
  virtual Result<size_t> take(size_t slot) = 0;
  // All below: from any thread, a slot by one at a time.
  virtual Status split(size_t slot, std::vector<std::string>& wrong) = 0;
  // Numbers of a column that the file has, NaN where they are missing; rows whose field is none come to
  // `bad`.
  virtual void read_numbers(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                            std::vector<double>& numbers, std::vector<uint32_t>& bad) = 0;
  // Texts of a column that the file has, as codes; the dictionary in order of first appearance.
  virtual void read_texts(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                          std::vector<uint32_t>& codes, std::vector<std::string>& dictionary) = 0;
  // The text of a field, for messages.
  virtual std::string field(size_t slot, size_t column, size_t row) = 0;
  virtual uint64_t line(size_t slot, size_t row) const = 0;  // of the file, or the row's number, from 1

  virtual void finished(size_t) {}
  virtual std::vector<std::string> remarks() const { return {}; }  // once all rows were taken
};

// A number as its field's text has it: NaN where it is missing, false where it is no finite number.
bool parse_number(std::string_view field, bool thousands, double& value);

// read_csv_file_in_slots of csv_table.h, for any source. Only `work` may change a chunk.
Result<ReadReport> read_chunks(ChunkSource& source, const std::string& file_name, const DatasetSpec& spec,
                               const ReadOptions& options, size_t slots,
                               const std::function<Status(size_t, CsvChunk&)>& work,
                               const std::function<Status(size_t)>& finish);

}  // namespace maeil::table
