#include "dag/schedule.h"

#include <fmt/format.h>

#include <algorithm>

namespace maeil::dag {
namespace {

// The last date whose time has come at `at`.
Result<Days> last_due(Instant at, const Schedule& schedule) {
  MAEIL_ASSIGN(const DailyRun next, next_run(at, schedule.time, schedule.time_zone));
  return next.logical_date - std::chrono::days{1};
}

// One pass over the dates; what is to be tried again is left in `dates`, oldest first.
class Pass {
 public:
  explicit Pass(const ScheduleHooks& hooks) : hooks_(hooks) {}

  void over(std::vector<Days>& dates) const {
    std::vector<Days> again;
    for (const Days date : dates) {
      if (hooks_.cancelled()) return;
      const auto finished = hooks_.is_finished(date);
      if (!finished) {
        hooks_.say(fmt::format("{}: {}", format_date(date), finished.error().message));
        again.push_back(date);
        continue;
      }
      if (*finished) continue;
      const int code = hooks_.run(date);
      if (code == 1) again.push_back(date);
      if (code == 2 || code == 3) {
        hooks_.say(fmt::format(
            "{}: trying it again at once is useless; it is tried with the next day, or after a restart",
            format_date(date)));
      }
    }
    dates = std::move(again);
  }

 private:
  const ScheduleHooks& hooks_;
};

}  // namespace

Result<DailyRun> next_run(Instant after, std::string_view schedule_time, std::string_view time_zone) {
  MAEIL_ASSIGN(const Instant at, next_daily(after, schedule_time, time_zone));
  MAEIL_ASSIGN(const Days date, date_in_zone(at, time_zone));
  return DailyRun{at, date};
}

Result<std::vector<Days>> dates_between(Days from, Days to) {
  const auto count = (to - from).count() + 1;
  if (count < 1)
    return usage_error(
        fmt::format("{} is before {}: give the earlier date first", format_date(to), format_date(from)));
  if (count > 3653)
    return usage_error(
        fmt::format("{} to {} are {} days, more than ten years", format_date(from), format_date(to), count));
  std::vector<Days> dates;
  for (Days day = from; day <= to; day += std::chrono::days{1}) dates.push_back(day);
  return dates;
}

Result<std::vector<Days>> due_dates(Instant at, const Schedule& schedule, std::optional<Days> first) {
  if (schedule.catchup == 0 || !first) return std::vector<Days>();
  MAEIL_ASSIGN(const Days today, date_in_zone(at, schedule.time_zone));
  MAEIL_ASSIGN(const Days last, last_due(at, schedule));
  const Days from = std::max(*first, today - std::chrono::days(schedule.catchup));
  return from > last ? std::vector<Days>() : dates_between(from, last);
}

std::chrono::minutes pause_after(int failures) {
  constexpr int kDoublings = 6;  // 64 minutes, cut to an hour
  return std::min(std::chrono::minutes(1 << std::clamp(failures - 1, 0, kDoublings)),
                  std::chrono::minutes(60));
}

Status keep_schedule(const Schedule& schedule, const ScheduleHooks& hooks) {
  const Pass pass(hooks);
  // dates up to here have had their turn, or have theirs now
  MAEIL_ASSIGN(Days reached, last_due(hooks.now(), schedule));
  std::vector<Days> dates;
  Days seen = reached;
  bool look = true;  // what is due is to be looked up; false: `dates` are those that failed
  for (int failures = 0;;) {
    const Instant at = hooks.now();
    MAEIL_ASSIGN(const Days last, last_due(at, schedule));
    if (last > seen) {
      failures = 0;
      look = true;
      seen = last;
    }
    if (look) {
      const auto first = hooks.first_date();
      if (first) {
        MAEIL_ASSIGN(dates, due_dates(at, schedule, *first));
        // its own day, whatever CATCHUP says
        if (last > reached && (dates.empty() || dates.back() != last)) dates.push_back(last);
        reached = last;
        look = false;
      } else {
        hooks.say(first.error().message);
      }
    }
    if (!look) pass.over(dates);
    if (hooks.cancelled()) return {};
    MAEIL_ASSIGN(const Days now_due, last_due(hooks.now(), schedule));
    if (now_due > last) continue;  // one fell due meanwhile
    MAEIL_ASSIGN(const DailyRun next, next_run(hooks.now(), schedule.time, schedule.time_zone));
    Instant wake = next.at;
    if (look || !dates.empty()) {
      wake = std::min(wake,
                      hooks.now() + std::chrono::duration_cast<Instant::duration>(pause_after(++failures)));
      std::string what = look ? "the store could not be read" : "not finished:";
      for (const Days date : dates) what += " " + format_date(date);
      hooks.say(fmt::format("{}; tried again at {}", what, format_instant(wake)));
    }
    hooks.say(fmt::format("next run: {} for {}", format_instant(next.at), format_date(next.logical_date)));
    if (!hooks.sleep_until(wake)) return {};
  }
}

}  // namespace maeil::dag
