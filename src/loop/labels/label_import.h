// Labels that came late, taken in from a file: joined with the rows of the days that are stored, counted, and
// put into one batch with the judgement of these days' scores (matured.h). Imported whole or not at all; the
// same file again brings nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/settings.h"
#include "loop/watcher.h"
#include "store/store.h"
#include "table/dataset_spec.h"
#include "table/read_report.h"

namespace maeil::loop {

struct LabelRequest {
  std::string in;                 // a file, or a query (query_rows.h)
  std::optional<Days> asked_for;  // what :date of a query is; none: `date`
  std::optional<Days> date;       // of all rows; else the file's columns say, else the ids
  std::optional<Days> observed;   // when the labels became known, where the file does not say
  Days today{};                   // the same where nobody says
  bool dry_run = false;           // only count and judge: nothing is written
};

// How the import is named in the store.
struct LabelOwner {
  std::string task_key;  // of the task that takes it in; "": a person does
  std::string run_id;
  Days logical_date{};
};

struct LabelledDate {
  Days date;
  uint64_t matched = 0, set_aside = 0, added = 0, changed = 0, earlier = 0, written = 0;
  store::Document raw_data_id = {};  // whose rows they are
  store::Document metrics = {};      // of its scores, with the labels that are known now; null: not judged
};

struct LabelImport {
  table::ReadReport read;
  uint64_t rows = 0;       // with an id and a label
  uint64_t left_out = 0;   // without one of them
  uint64_t matched = 0;    // rows of the file whose row is stored
  uint64_t set_aside = 0;  // ... is, and the day's contract set it aside: kept, and counted no further
  uint64_t unknown = 0;    // ... is not
  uint64_t added = 0;      // of the matched: no label was known before
  uint64_t changed = 0;    // of the matched: another one was, or is now
  uint64_t earlier = 0;    // of the matched: the same is known, but since a later day
  uint64_t written = 0;    // labels that the store does not have as the file has them
  Days observed_from{}, observed_to{};
  std::vector<LabelledDate> dates;  // that have matched rows, oldest first
  store::Batch batch;               // empty where nothing is new
};

// Reads the file and the days, and writes what the batch will name; the caller commits. The file is read as
// every file of rows (table/row_file.h): the id columns and the target; `logical_date` or the time column,
// and `observed_at`, where it has them. Memory: of a day's labels and rows, 80 bytes and 40 each, and of a
// million labels beside (label_spool.h); of labels without a day, all.
// kBadInput: as read_csv and check_read; an id that several days have while nothing says which; two labels of
// one row, known on one day; a label that was known before its row's day, or after today; not one label of a
// stored row (no_match.h). kUsage: --date and
// a row disagree. REQUIRES: the caller holds lock_labels().
Result<LabelImport> read_labels(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                                const LabelRequest& request, const LabelOwner& owner, const Watcher& watcher);

// The same, and commits what is new; again where scores of the same days were made meanwhile (matured.h).
// `fence` adds to the batch what else it is to expect; may be none.
Result<LabelImport> import_labels(store::Store& store, const Settings& settings,
                                  const table::DatasetSpec& spec, const LabelRequest& request,
                                  const LabelOwner& owner, const Watcher& watcher,
                                  const std::function<void(store::Batch&)>& fence = {});

// One import at a time: kConflict while another goes on.
Result<std::unique_ptr<store::Lock>> lock_labels(store::Store& store);

// {rows, left_out, matched, unknown, added, changed, ...} as `labels` has it and people are told.
store::Document import_facts(const LabelImport& import);
std::string describe(const LabelImport& import);

}  // namespace maeil::loop
