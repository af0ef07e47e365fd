// The families as text that Prometheus reads (version 0.0.4 of its format), and the file that node_exporter's
// textfile collector takes them from.
#pragma once

#include <string>

#include "base/error.h"
#include "telemetry/families.h"

namespace maeil::telemetry {

// Families without samples are left out.
std::string exposition(const Families& families);

// METRICS_FILE: replaced in one step, readable for everybody (another user runs node_exporter). kUsage: the
// name does not end in ".prom", which is what the collector reads, or a folder or a device has it. kIo.
Status write_metrics_file(const std::string& path, const Families& families);

}  // namespace maeil::telemetry
