// The quality report as the commands print it.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/commands.h"
#include "quality/report.h"
#include "store/document.h"

namespace maeil::cli {

store::Document as_document(const quality::Data& data, const quality::Report& report);

// Draws rows from the model that `fit` has just written, reports on them against the rows it was fitted on, writes the page beside the model
// (quality_page_path) and the score into the model. Of both at most kFitReportRows rows. Returns the score.
inline constexpr size_t kFitReportRows = 20000;
Result<double> report_fit(const FitOptions& options, const std::string& target, uint64_t rows, uint64_t seed);

// "models/book.json" -> "models/book.quality.html"
std::string quality_page_path(const std::string& model);

}  // namespace maeil::cli
