// [calendar] of a dataset spec: on which days a file of the dataset's rows is due.
//
//   [calendar]
//   weekdays = ["mon", "tue", "wed", "thu", "fri"]   # on which one is due; left out: on all
//   holidays = [2026-12-25, "2027-01-01"]            # on which none is
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/time.h"

namespace maeil::table {

struct DueDays {
  std::array<bool, 7> weekdays = {true, true, true, true, true, true, true};  // from Sunday
  std::vector<Days> holidays;                                                 // sorted
  bool on(Days date) const;
};

// "Saturday"
std::string weekday_name(Days date);

}  // namespace maeil::table
