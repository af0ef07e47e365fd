#include "dag/schedule.h"

#include <fmt/format.h>

namespace maeil::dag {

Result<DailyRun> next_run(Instant after, std::string_view schedule_time, std::string_view time_zone) {
  MAEIL_ASSIGN(const Instant at, next_daily(after, schedule_time, time_zone));
  MAEIL_ASSIGN(const Days date, date_in_zone(at, time_zone));
  return DailyRun{at, date};
}

Result<std::vector<Days>> dates_between(Days from, Days to) {
  const auto count = (to - from).count() + 1;
  if (count < 1) return usage_error(fmt::format("{} is before {}: give the earlier date first", format_date(to), format_date(from)));
  if (count > 3653) return usage_error(fmt::format("{} to {} are {} days, more than ten years", format_date(from), format_date(to), count));
  std::vector<Days> dates;
  for (Days day = from; day <= to; day += std::chrono::days{1}) dates.push_back(day);
  return dates;
}

}  // namespace maeil::dag
