// How a day's raw rows become prepared ones, piece after piece: the work of preprocess_data, whole or in
// shards (run_in_shards.h). How the parts of shards are kept is in part_bytes.cc, where the rows of a day go
// in store_rows.h.
#pragma once

#include <functional>
#include <string>

#include "base/file.h"
#include "format/text_buffer.h"
#include "loop/prepared/store_rows.h"
#include "loop/run_in_shards.h"
#include "loop/validate_data.h"

namespace maeil::loop {

struct PreparedPiece {
  uint64_t rows = 0;
  store::RowChunk chunk;    // row, split, C codes, N numbers, label, kept dates
  format::TextBuffer text;  // the same as lines of processed_data.csv
  prep::Counts counts;
};

// What it holds must outlive it.
class Preparing : public RowWork<PreparedPiece, PreparedTotals> {
 public:
  // With `csv_path`, processed_data.csv is written there too ("" for none). kNotFound: no raw data for the
  // date; errors of validated_rows.
  static Result<Preparing> begin(dag::TaskContext& context, const Day& day,
                                 const prep::Preparation& preparation, std::string csv_path);

  // kNotFound, for some of the rows only: raw data without `row_offsets` (of an older maeil).
  Result<PreparedTotals> make(RowRange range, const Sink& sink) override;
  // All rows into the store; the caller commits. kBadInput: more than 5 % of them cannot be read.
  Result<PreparedDay> store_rows(const Rows& all);

  RowCuts cuts() const override;
  Result<store::Document> inputs() const override;
  Status write(const PreparedPiece& piece, PartWriter& part) const override;
  PartSummary summary(const PreparedTotals& totals, RowRange rows) const override;
  Status read(const store::Document& part, const Sink& sink, PreparedTotals& totals) const override;

 private:
  Preparing(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation,
            std::string csv_path, store::Document raw, ValidatedRows validated)
      : context_(context),
        day_(day),
        preparation_(preparation),
        csv_path_(std::move(csv_path)),
        raw_(std::move(raw)),
        validated_(std::move(validated)) {}

  dag::TaskContext& context_;
  const Day& day_;
  const prep::Preparation& preparation_;
  const std::string csv_path_;
  const store::Document raw_;  // of raw_data
  const ValidatedRows validated_;
};

// Whether prepared rows, by their constants, were made from `raw`, less the rows that `by` sets aside.
bool are_rows_of(const store::Document& rows, const store::Document& raw, const Validated& by);

// Prepares and commits, in one piece whatever the task's shard, unless the date's rows for `preparation` are
// there already, made from the date's present raw data.
Status ensure_prepared(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation);

}  // namespace maeil::loop
