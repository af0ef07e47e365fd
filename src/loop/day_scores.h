// Every row of a day that is not set aside before one model, labelled or not: the lines of the day's scores,
// whole or in shards (run_in_shards.h). Which model that is, and what becomes of the lines, is
// scoring_tasks.cc's.
//
// The rows are read from the day's raw data as `maeil predict` reads a file, so both say the same of a row.
// Nothing of `processed_data` is read: its rows may be another model's, and are kept for days only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "loop/day.h"
#include "loop/run_in_shards.h"
#include "loop/validate_data.h"
#include "model/model_file.h"
#include "table/read_report.h"

namespace maeil::loop {

// The first line of a day's scores: the spec's id columns, else `row`, then probability, decision and
// model_version, then so many reasons (reasons.h).
std::string scores_header(const table::DatasetSpec& spec, int64_t reasons);

// DATA_DIR/scores/scores_2026-11-23.csv
std::string scores_path(const Settings& settings, Days date);

struct ScoredPiece {
  std::string lines;                  // one a row, as below scores_header
  std::vector<double> probabilities;  // of the same rows
  std::vector<uint64_t> ids;          // a hash of the ids of each row that has them all; none without a role
};

// What a next system that joins by id stumbles over.
struct IdCounts {
  uint64_t rows = 0;      // that were scored
  uint64_t missing = 0;   // rows that lack an id
  uint64_t repeated = 0;  // rows whose id another row before them has
};
// `ids`: of all pieces; sorted here.
IdCounts count_ids(std::vector<uint64_t>& ids, uint64_t rows);

// What it holds must outlive it.
class DayScores : public RowWork<ScoredPiece, table::ReadReport> {
 public:
  // kNotFound: no raw data for the date; errors of load_version and validated_rows.
  static Result<DayScores> begin(dag::TaskContext& context, const Day& day,
                                 const registry::ModelVersion& version);
  const store::Document& raw() const { return raw_; }  // of raw_data: whose rows are scored
  double threshold() const { return model::threshold_of(model_); }

  // Lines and rows of the report are numbered in the whole day. kNotFound, for some of the rows only: raw
  // data without `row_offsets` (of an older maeil).
  Result<table::ReadReport> make(RowRange rows, const Sink& sink) override;

  RowCuts cuts() const override;
  Result<store::Document> inputs() const override;
  Status write(const ScoredPiece& piece, PartWriter& part) const override;
  PartSummary summary(const table::ReadReport& report, RowRange rows) const override;
  Status read(const store::Document& part, const Sink& sink, table::ReadReport& report) const override;

 private:
  DayScores(dag::TaskContext& context, const Day& day, const registry::ModelVersion& version,
            store::Document raw, ValidatedRows validated, model::ModelFile model)
      : context_(context),
        day_(day),
        version_(version),
        raw_(std::move(raw)),
        validated_(std::move(validated)),
        model_(std::move(model)) {}

  dag::TaskContext& context_;
  const Day& day_;
  const registry::ModelVersion& version_;
  store::Document raw_;
  ValidatedRows validated_;
  model::ModelFile model_;
};

}  // namespace maeil::loop
