// Scored days whose labels should be known by now and are not: a feed that stopped is seen by the days that
// it left out, whatever older days have.
#pragma once

#include <vector>

#include "loop/day.h"

namespace maeil::loop {

// The scored days before the date, oldest first, of which less than half of the rows had a label when the
// date asked though delay_days have passed. None where the dataset says no delay. Counts documents and reads
// no rows.
Result<std::vector<Days>> overdue_days(store::Store& store, const Day& day, Days date);

// Adds an alert LABELS_OVERDUE about those of the days that no earlier date's alert has named, and a phrase
// to the outcome's message about all of them.
Status note_overdue(const Day& day, const dag::TaskContext& context, const std::vector<Days>& overdue,
                    dag::TaskOutcome& out);

}  // namespace maeil::loop
