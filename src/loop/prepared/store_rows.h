// A day's prepared rows on their way into the store: the rows of `processed_data`, the document of
// `processing_metadata` beside them, and processed_data.csv.
//
// They are keyed by logical date and feature spec hash: a model with other fitted values has rows of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "loop/day.h"
#include "prep/preparation.h"
#include "prep/transform.h"
#include "table/csv_table.h"

namespace maeil::loop {

inline constexpr const char* kRows = "processed_data";
// The last field of rows whose dataset has a group or an id: 1 for the validation part of `fine`
// (prep/row_split.h). Other rows' numbers say it.
inline constexpr const char* kValidationField = "in_validation";

std::string partition_of(Days date, const prep::Preparation& preparation);

// What is said of prepared rows beside them.
struct PreparedTotals {
  table::ReadReport report;  // lines are those of the whole file
  prep::Counts counts;
};

// Everything that preparing a day makes; the caller commits `batch`.
struct PreparedDay {
  store::Batch batch;
  uint64_t rows = 0, quarantined = 0, unseen = 0;
  uint64_t unlabelled = 0;  // rows whose label did not come with them
};

// The rows of a day on their way into the store and, unless `csv_path` is "", into processed_data.csv.
class DayWriter {
 public:
  // `raw`: the document of raw_data that the rows come from. `validation_id`: of the one of data_validations
  // that set rows aside, else "".
  static Result<DayWriter> begin(dag::TaskContext& context, const Day& day,
                                 const prep::Preparation& preparation, const store::Document& raw,
                                 const std::string& validation_id, const std::string& csv_path);
  Status add(const store::RowChunk& chunk, std::string_view text);
  // `raw`: as for begin. kBadInput when too many rows were set aside.
  Result<PreparedDay> finish(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation,
                             const PreparedTotals& totals, const store::Document& raw);

 private:
  std::string partition_;
  std::unique_ptr<store::RowWriter> rows_;
  std::optional<AtomicFile> csv_;
  std::string target_;
  uint64_t unlabelled_ = 0;
};

}  // namespace maeil::loop
