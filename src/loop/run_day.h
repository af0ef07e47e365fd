// One logical date from start to end, as `maeil run`, `schedule` and `backfill` do it: the lock, the first
// day's training when there is no model, the DAGs, the verdict.
#pragma once

#include <optional>
#include <string>

#include "dag/runner.h"
#include "loop/changed_extract.h"
#include "loop/day_request.h"

namespace maeil::loop {

enum class Verdict { kApproved, kRetrained, kAlert, kNotJudged, kNothingDue, kFailed, kCancelled };

struct DayReport {
  Verdict verdict = Verdict::kFailed;
  bool already_finished = false;  // an earlier run had finished the date; nothing was done
  std::string other_file;         // of a finished date whose file is another one now: a sentence; "" else
  std::optional<ExtractChange> change;  // in what it differs, where that could be told
  std::string reconciled;               // what was mended between link and registry; "" when nothing
  dag::DayResult result;
};

// Runs the date as it was asked for first (day_request.h), else as `asked`; of `day`, the settings and the
// spec. kConflict at once when another run holds the lock; kUsage when the date was begun with other rows or
// another scenario than `asked`.
Result<DayReport> run_day(store::Store& store, const Day& day, Days logical_date, const AskedDay& asked,
                          const dag::RunOptions& options);

// The summary that people read and `--json` prints: what was generated, evaluated, decided, deployed, where
// to look.
Result<store::Document> summarize(store::Store& store, const Day& day, Days logical_date,
                                  const DayReport& report);

// The verdict of a summary for people: "approved", "not judged: " with the reason, ...
std::string verdict_text(const store::Document& summary);

}  // namespace maeil::loop
