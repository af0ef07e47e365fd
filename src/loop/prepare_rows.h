// How raw rows become prepared ones, piece after piece, and where the pieces of a day go. Used whole
// (prepared_day.cc) and in shards (prepared_parts.cc).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "format/text_buffer.h"
#include "loop/prepared_day.h"

namespace maeil::loop {

inline constexpr const char* kRows = "processed_data";

// The date's document of raw_data; after generate_data was done again, the newest. kNotFound when there is
// none.
Result<store::Document> raw_document(const dag::TaskContext& context);

// The date's raw CSV: this machine's copy under `path` when it is those bytes, else fetched from the store,
// and written there. Days that run side by side in one workspace share the path, so what is read are the
// bytes that were compared, not what the path names later. kUsage when the file there is not maeil's
// (own_file.h).
Result<MappedFile> raw_file(dag::TaskContext& context, const store::Document& raw, const std::string& path);

struct PreparedPiece {
  uint64_t rows = 0;
  store::RowChunk chunk;    // row, split, C codes, N numbers, label, kept dates
  format::TextBuffer text;  // the same as lines of processed_data.csv
  prep::Counts counts;
};

struct PreparedTotals {
  table::ReadReport report;  // lines are those of the whole file
  prep::Counts counts;
};

// Prepares the rows of a CSV file, called `name` in messages, on all threads and gives the pieces to `sink`
// in order. `first_row` is the number of the file's first row in the day, `expected` how many rows there are,
// for the progress.
Result<PreparedTotals> prepare_rows(dag::TaskContext& context, const Day& day,
                                    const prep::Preparation& preparation, MappedFile file,
                                    const std::string& name, uint64_t first_row, uint64_t expected,
                                    bool with_text, const std::function<Status(PreparedPiece&)>& sink);

// The rows of a day on their way into the store and, unless `csv_path` is "", into processed_data.csv.
class DayWriter {
 public:
  // `raw`: the document of raw_data that the rows come from.
  static Result<DayWriter> begin(dag::TaskContext& context, const Day& day,
                                 const prep::Preparation& preparation, const store::Document& raw,
                                 const std::string& csv_path);
  Status add(const store::RowChunk& chunk, std::string_view text);
  // `raw`: as for begin. kBadInput when too many rows were set aside.
  Result<PreparedDay> finish(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation,
                             const PreparedTotals& totals, const store::Document& raw);

 private:
  std::string partition_;
  std::unique_ptr<store::RowWriter> rows_;
  std::optional<AtomicFile> csv_;
};

}  // namespace maeil::loop
