// The sections of a day's report (day_page.h), each of what one step of the day recorded.
#pragma once

#include <string>
#include <string_view>

#include "pages/day_record.h"
#include "pages/section.h"

namespace maeil::pages {

Section rows_section(const DayRecord& record);      // what came in
Section findings_section(const DayRecord& record);  // what was found wrong
Section alerts_section(const DayRecord& record);    // what rang, and what is not as on the last good day
Section judged_section(const DayRecord& record);    // which model, on which rows, how good
Section attempts_section(const DayRecord& record);  // retraining, challengers
Section decided_section(const DayRecord& record);   // the verdict, and what was deployed
Section scores_section(const DayRecord& record);
Section tasks_section(const DayRecord& record);
Section acts_section(const DayRecord& record);
Section program_section(const DayRecord& record);

// Why something of a task is not there: "generate_data failed: ...". A task that never ran is said, too.
std::string why_absent(const DayRecord& record, std::string_view task);

// Adds that what is shown is of an earlier doing, where the task that wrote it is to be done again.
void note_earlier(const DayRecord& record, std::string_view task, Section& section);

}  // namespace maeil::pages
