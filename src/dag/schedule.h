// The daily run: when it is due and for which date (pure functions of the clock and the settings), and the
// daemon that makes days, makes up for those that were missed, and tries again what failed for a passing
// reason.
//
// The clock here is this machine's: it says when people want their day, and nothing that another process has
// written is compared with it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace maeil::dag {

struct DailyRun {
  Instant at;
  Days logical_date;  // the date that the clock shows then, as for a `maeil run` at that moment
};

// The first run after `after`. kUsage for a wrong SCHEDULE_TIME or TIMEZONE.
Result<DailyRun> next_run(Instant after, std::string_view schedule_time, std::string_view time_zone);

// Every date from `from` to `to`, both included. kUsage when `to` is before `from`, or for more than ten
// years.
Result<std::vector<Days>> dates_between(Days from, Days to);

struct Schedule {
  std::string time = "00:00", time_zone = "UTC";
  // CATCHUP: how many days back from today a date that is due and not finished is made up for; 0: none
  int64_t catchup = 1;
};

// The dates that were due by `at` and are made up for, oldest first: from today less `catchup` days, or from
// `first` when that is later, to the last one due. `first` is the store's first recorded date: what was never
// asked for before it is not invented. nullopt: none.
Result<std::vector<Days>> due_dates(Instant at, const Schedule& schedule, std::optional<Days> first);

// How long after the n-th pass in a row that failed for a passing reason the next one begins: 1 minute,
// doubling, an hour at most.
std::chrono::minutes pause_after(int failures);

// What the daemon does the world by. `run` makes one date and returns its exit code (1: a passing reason).
struct ScheduleHooks {
  std::function<Instant()> now;
  std::function<bool(Instant)> sleep_until;  // false: cancelled
  std::function<bool()> cancelled;
  std::function<Result<std::optional<Days>>()> first_date;
  std::function<Result<bool>(Days)> is_finished;
  std::function<int(Days)> run;
  std::function<void(const std::string&)> say;
};

// Runs until cancelled. At its start, and whenever a date falls due, every date of due_dates that is not
// finished is run, oldest first; a date that fell due while the daemon was busy is not left out. What failed
// with exit code 1 is run again after pause_after; what failed otherwise waits for the next date that falls
// due, or for the daemon's next start. kUsage for a wrong SCHEDULE_TIME or TIMEZONE.
Status keep_schedule(const Schedule& schedule, const ScheduleHooks& hooks);

}  // namespace maeil::dag
