// processed_data.csv: the features under their names as the model reads them (codes, scaled numbers), the
// label as 0/1, the kept dates and `split`.
#pragma once

#include <string>
#include <vector>

#include "format/text_buffer.h"
#include "prep/preparation.h"
#include "prep/split.h"
#include "prep/transform.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// The BOM and the first line.
std::string processed_csv_header(const table::DatasetSpec& spec, const prep::Preparation& preparation);

// The lines of prepared rows and their splits. Thread safe.
void append_processed_rows(const prep::Prepared& prepared, const std::vector<prep::Split>& splits,
                           format::TextBuffer& out);

}  // namespace maeil::loop
