// The quality report as one HTML page that needs nothing else (pages/html.h).
#pragma once

#include <string>

#include "quality/columns.h"
#include "quality/report.h"

namespace maeil::quality {

// How many columns' distributions a page shows, the worst; 200 pictures of 4 KB are still a page that opens
// at once.
inline constexpr size_t kShownColumns = 200;

// `real` and `synthetic`: what to call the two. UTF-8; every text from the data is escaped.
std::string report_page(const Data& data, const Report& report, const std::string& real,
                        const std::string& synthetic);

}  // namespace maeil::quality
