// A day's prepared rows: made from the raw CSV in the store, kept as rows of `processed_data`, read back as
// samples.
//
// They are keyed by logical date and feature spec hash: a model with other fitted values has rows of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loop/day.h"
#include "nn/rows.h"
#include "nn/score.h"
#include "prep/preparation.h"
#include "prep/transform.h"
#include "table/csv_table.h"

namespace maeil::loop {

// B rows in memory, as the model reads them.
struct Samples {
  std::vector<int32_t> codes;   // (B,C)
  std::vector<float> numbers;   // (B,N)
  std::vector<int32_t> labels;  // (B)
  size_t rows() const { return labels.size(); }
  nn::LabelledRows view() const { return {{codes, numbers, rows()}, labels}; }
};

std::string partition_of(Days date, const prep::Preparation& preparation);

// Everything that preparing a day makes; the caller commits `batch`.
struct PreparedDay {
  store::Batch batch;
  uint64_t rows = 0, quarantined = 0, unseen = 0;
};

// Prepares the date's raw rows with `preparation`. With `csv_path`, processed_data.csv is written there too
// ("" for none). kNotFound: no raw data for the date. kBadInput: more than 5 % of the rows cannot be read.
Result<PreparedDay> prepare_day(dag::TaskContext& context, const Day& day,
                                const prep::Preparation& preparation, const std::string& csv_path);

// The same in shards: one shard's rows as a part (loop/parts.h), and the parts of all put together. The union
// is byte for byte what prepare_day makes. kNotFound: no raw data for the date, or raw data without
// `row_offsets` (of an older maeil).
Result<dag::TaskOutcome> prepare_part(dag::TaskContext& context, const Day& day,
                                      const prep::Preparation& preparation);
Result<PreparedDay> merge_day(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation,
                              const std::string& csv_path);

// Raw rows are cut into shards at the multiples of this many: a thousand pieces at most, none of less than
// kSourceRows rows.
uint64_t raw_step(uint64_t rows);

// Prepares and commits unless the date's rows for `preparation` are there already, made from the date's
// present raw data.
Status ensure_prepared(dag::TaskContext& context, const Day& day, const prep::Preparation& preparation);

// The labelled rows of `fine` in memory: those to learn from, and the validation part to choose by
// (prep/split.h).
struct FineRows {
  Samples learn, validation;
  uint64_t unlabelled = 0;  // rows of `fine` that are left out, since they have no label
};
// kNotFound when the date was never prepared for `preparation`.
Result<FineRows> read_fine(store::Store& store, Days date, const prep::Preparation& preparation,
                           uint64_t seed);

// One split scored, in bounded memory: P(default) and label of each row that has one.
struct Scores {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
  uint64_t unlabelled = 0;  // rows without a label
};
// Only what came from the raw rows `first_row` to first_row + rows - 1 counts, and little else is read.
// kConflict when the rows were replaced meanwhile.
Result<Scores> score_split(store::Store& store, Days date, const prep::Preparation& preparation,
                           std::string_view split, const nn::Scorer& scorer, uint64_t first_row = 0,
                           uint64_t rows = UINT64_MAX);

struct SplitSizes {
  int64_t train = 0, fine = 0, test = 0;
  int64_t validation = 0;  // rows of `fine` that are for choosing (prep/split.h)
};
Result<SplitSizes> split_sizes(store::Store& store, Days date, const prep::Preparation& preparation,
                               uint64_t seed);

// P(default) of coded rows, on all threads.
Result<std::vector<double>> predict_default(const nn::Scorer& scorer, const nn::Rows& rows);

}  // namespace maeil::loop
