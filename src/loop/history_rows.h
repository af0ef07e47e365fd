// A team's own rows as those that a first model learns from (`maeil train --in`).
//
// By the groups or ids (prep/row_split.h) 70 % are learnt from, 15 % held out for each epoch's metrics and
// 15 % kept for the verdict. Where the dataset has a time, the newest TEST_DAYS days are an out-of-time test
// as well: nothing of these days is learnt, and where several rows have the same group or id only those of
// the test's 15 % count, so that no borrower is learnt from and judged on. Rows that lie after today are left
// out.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/settings.h"
#include "loop/learning_rows.h"
#include "loop/watcher.h"
#include "table/read_report.h"

namespace maeil::loop {

struct History {
  LearningRows rows;
  table::ReadReport report;
  std::array<uint64_t, 5> labelled = {};  // rows by Part, before `cap`
  uint64_t unlabelled = 0;
  uint64_t undated = 0;        // labelled rows whose time is missing: taken for old ones
  std::optional<Days> newest;  // of the time column
  // The first day of the out-of-time test; none without a time, or where it would take more than half.
  std::optional<Days> out_of_time;
};

// Reads the file once to see what is in it; its bytes are those that `rows` reads, whatever its name stands
// for later. `cap` (ROW_CAP): about so many rows are learnt from, and held out in proportion, drawn by a hash
// of their number. Rows that break the contract are left out. Says what it found to `watcher`. kBadInput as
// read_csv and check_read, and where the contract is broken, but for what it says of a day's number of rows.
Result<History> open_history(const std::string& path, const table::DatasetSpec& spec,
                             const Settings& settings, uint64_t cap, const Watcher& watcher);

}  // namespace maeil::loop
