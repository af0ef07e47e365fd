// A scorecard as an HTML page that needs nothing else (page.h): what `maeil model scorecard --html` writes.
#pragma once

#include <string>

#include "model/scorecard_table.h"

namespace maeil::quality {

// `name`: the version or file. UTF-8; every text is escaped.
std::string scorecard_page(const std::string& name, const model::ScorecardTable& card);

}  // namespace maeil::quality
