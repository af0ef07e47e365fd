// The quality report as the commands print it.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/commands.h"
#include "quality/report.h"
#include "store/document.h"
#include "table/dataset_spec.h"

namespace maeil::cli {

store::Document as_document(const quality::Data& data, const quality::Report& report);

// Draws rows from the model that `fit` has just written, reports on them against the rows it was fitted on,
// writes the page beside the model (quality_page_path) and the score into the model. `columns` are of the
// types that were fitted. Of both at most kFitReportRows rows. Returns the score; nothing where no column has
// one.
inline constexpr size_t kFitReportRows = 20000;
Result<std::optional<double>> report_fit(const FitOptions& options, const table::DatasetSpec& columns,
                                         const std::string& target, uint64_t rows, uint64_t seed);

// "models/book.json" -> "models/book.quality.html"
std::string quality_page_path(const std::string& model);

}  // namespace maeil::cli
