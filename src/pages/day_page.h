// A day as a report for a person who was not there. Pure: the same record gives the same report. What is not
// recorded is said.
#pragma once

#include "pages/day_record.h"
#include "pages/section.h"

namespace maeil::pages {

Report day_report(const DayRecord& record);

}  // namespace maeil::pages
