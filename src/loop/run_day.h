// One logical date from start to end, as `maeil run`, `schedule` and `backfill` do it: the lock, the first day's training when
// there is no model, the three DAGs, the verdict.
#pragma once

#include <string>

#include "dag/runner.h"
#include "loop/day.h"

namespace maeil::loop {

enum class Verdict { kApproved, kRetrained, kAlert, kNotJudged, kFailed, kCancelled };

struct DayReport {
  Verdict verdict = Verdict::kFailed;
  bool already_finished = false;  // an earlier run had finished the date; nothing was done
  std::string reconciled;         // what was mended between link and registry; "" when nothing
  dag::DayResult result;
};

// kConflict at once when another run holds the lock.
Result<DayReport> run_day(store::Store& store, const Day& day, Days logical_date, const dag::RunOptions& options);

// The summary that people read and `--json` prints: what was generated, evaluated, decided, deployed, where to look.
Result<store::Document> summarize(store::Store& store, const Day& day, Days logical_date, const DayReport& report);

// The verdict of a summary for people: "approved", "not judged: " with the reason, ...
std::string verdict_text(const store::Document& summary);

}  // namespace maeil::loop
