// When the daily run is due, and for which date: pure functions of the clock and the settings.
#pragma once

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

// Every date from `from` to `to`, both included. kUsage when `to` is before `from`, or for more than ten years.
Result<std::vector<Days>> dates_between(Days from, Days to);

}  // namespace maeil::dag
