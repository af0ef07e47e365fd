// What may be removed after its retention: prepared rows, raw bytes and scores of old dates, bytes that
// nobody names, half-written files. How dates ran, if RETENTION_DAYS_HISTORY says so (history_retention.h).
// Events, metrics and model versions are kept for ever.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "loop/history_retention.h"
#include "store/store.h"

namespace maeil::loop {

struct Pruned {
  std::vector<std::string> processed;  // logical dates whose prepared rows go
  // logical dates whose raw bytes go (their documents stay, with `pruned`)
  std::vector<std::string> raw;
  // the same of scores, in the store and in this machine's DATA_DIR; a date that was done again is there
  // twice
  std::vector<std::string> scores;
  std::vector<std::string> labels;  // logical dates whose imported labels go; the imports' documents stay
  int64_t parts = 0;                // parts of shards (loop/part_store.h) that are older than a day
  std::vector<std::string> files;   // left_by_killed_runs: of the folders that this machine sees
  PrunedHistory history;
  int64_t garbage = 0;  // unnamed blobs and generations removed; 0 in a dry run
};

// The files that processes had begun to write into maeil's folders (those of DATA_PATH, DATA_DIR and
// MODEL_SAVE_PATH) when they were killed, an hour and more before `at` (left_behind).
Result<std::vector<std::string>> left_by_killed_runs(const Settings& settings, Instant at);

// `today` is the day from which retention counts back. With `dry_run` nothing changes. `delay_days`: of the
// dataset. Rows, scores and labels are kept as long as a day may be judged on them or learn from them:
// delay_days + max(JUDGE_DAYS, RETRAIN_DAYS), where RETENTION_DAYS_RAW is less.
Result<Pruned> prune(store::Store& store, const Settings& settings, Days today, bool dry_run,
                     int64_t delay_days = 0);

}  // namespace maeil::loop
