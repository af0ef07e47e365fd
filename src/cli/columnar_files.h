// `maeil data inspect | convert` of Parquet and Arrow files, and of parts of them.
#pragma once

#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "table/row_file.h"

namespace maeil::cli {

// Nothing where the file is text. kUsage: it is not, and options say how text is written.
Result<std::optional<table::RowFile>> open_columnar(const DataFileOptions& options);

Result<int> inspect_columnar(Context& context, const table::RowFile& file);
Result<int> convert_columnar(Context& context, const table::RowFile& file, const DataFileOptions& options);

}  // namespace maeil::cli
