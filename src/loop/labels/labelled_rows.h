// The raw rows of a stored day before a model, with the labels that a date knew of them. For days whose
// labels came late: processed_data has none of these, and is kept for days only.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "loop/day.h"
#include "loop/labels/label_history.h"
#include "loop/prepared/read_rows.h"
#include "loop/validate_data.h"
#include "prep/row_split.h"
#include "prep/split.h"
#include "prep/transform.h"
#include "table/csv_table.h"

namespace maeil::loop {

// A chunk of prepared rows, by row.
struct LabelledChunk {
  prep::Prepared prepared;  // labels: those that were known
  std::vector<prep::Split> splits;
  std::vector<uint8_t> is_validation;  // of a row of `fine` (prep/row_split.h)
  std::vector<uint64_t> rows;          // numbers in the day
  prep::Keys keys;                     // of group or id; nullopt: the row has none
};

// One day, opened; read by the spec of the model's preparation. What it is given must outlive it.
class LabelledRows {
 public:
  // `of`: whose rows, less those that its validation set aside; `known_on`: the date that asks. kNotFound: no
  // raw data, or without row_offsets. As validated_rows.
  static Result<LabelledRows> open(store::Store& store, const Day& day, Days of, Days known_on);

  // `work` is called on all threads at once, `finish` in order (table::read_csv_file_as).
  template <class Out>
  Status read(const prep::Preparation& preparation,
              const std::function<Status(const LabelledChunk&, Out&)>& work,
              const std::function<Status(Out&)>& finish) {
    const table::DatasetSpec& spec = prep::spec_of(preparation, day_.spec);
    MAEIL_ASSIGN(
        const auto report,
        table::read_csv_file_as<Out>(
            file_, spec,
            {.target_required = false, .other_label_is_none = true, .set_aside = &validated_.set_aside},
            [&](const table::CsvChunk& chunk, Out& out) { return work(labelled(preparation, chunk), out); },
            finish));
    return table::check_read(report, file_.name());
  }

  // The raw rows in order, with the labels that were known in the target's column, and the split of each, by
  // the present spec. `rows`: numbers in the day.
  using TableSink = std::function<Status(const Table& chunk, const std::vector<prep::Split>& splits,
                                         const std::vector<uint64_t>& rows)>;
  Status read_tables(const TableSink& sink);

 private:
  LabelledRows(const Day& day, Days of, Days known_on, table::RowFile file)
      : day_(day), of_(of), known_on_(known_on), file_(std::move(file)) {}
  LabelledChunk labelled(const prep::Preparation& preparation, const table::CsvChunk& chunk) const;
  // Calls `set` for each row of the chunk of which a label was imported.
  void for_each_late_label(const table::DatasetSpec& spec, const Table& chunk,
                           const std::vector<uint64_t>& rows,
                           const std::function<void(size_t i, int label)>& set) const;

  const Day& day_;
  const Days of_, known_on_;
  table::RowFile file_;
  ValidatedRows validated_;
  LabelHistory late_;  // the labels that were imported
};

// The labelled rows of one split; `segments` as score_split.
Result<Scores> score_labelled_day(store::Store& store, const Day& day, Days of, Days known_on,
                                  const prep::Preparation& preparation, prep::Split split,
                                  const model::ModelFile& model, std::span<const size_t> segments = {});

// As split_sizes, over days; `labelled` of `fine`.
struct LabelledSizes {
  SplitSizes sizes;
  int64_t fine_labelled = 0;
};
Result<LabelledSizes> labelled_sizes(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                     Days known_on, const prep::Preparation& preparation);

// As read_fine, over days. `kept`: the share of the rows that is read, drawn by a hash of their number. Where
// rows have a group or an id, the validation part is chosen by that, so that none is in both parts.
Result<FineRows> read_labelled_fine(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                    Days known_on, const prep::Preparation& preparation, double kept);

}  // namespace maeil::loop
