// The quality report as one HTML page that needs nothing else: no script, no font, no file from elsewhere.
// Light or dark as the reader's system is.
#pragma once

#include <string>
#include <vector>

#include "quality/columns.h"
#include "quality/report.h"

namespace maeil::quality {

// How many columns' distributions a page shows, the worst; 200 pictures of 4 KB are still a page that opens
// at once.
inline constexpr size_t kShownColumns = 200;

// The head of a page and its style, up to where the body begins; ends with </body></html>.
std::string page_begin(const std::string& title);

// Every cell is escaped; from the column `texts` on they are numbers.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows, size_t texts);

// `real` and `synthetic`: what to call the two. UTF-8; every text from the data is escaped.
std::string report_page(const Data& data, const Report& report, const std::string& real,
                        const std::string& synthetic);

}  // namespace maeil::quality
