// METRICS_FILE, kept by whoever runs tasks.
#pragma once

#include "cli/commands.h"

namespace maeil::cli {

// Writes METRICS_FILE where it is set, after a task has ended. What goes wrong is a warning, said once while
// it stays the same: no task fails for it.
void keep_metrics_file(Context& context);

}  // namespace maeil::cli
