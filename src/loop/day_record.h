// What a date left in the store, for `maeil report DATE` (pages/day_record.h). Reads documents, and no rows.
#pragma once

#include <string>

#include "base/time.h"
#include "pages/day_record.h"
#include "store/store.h"

namespace maeil::loop {

// What is damaged is left as it is: whoever shows a field looks at it. kNotFound, with the newest dates there
// are: no task of the date ever ran. Other errors of the store.
Result<pages::DayRecord> read_day_record(store::Store& store, const std::string& dataset, Days date);

}  // namespace maeil::loop
