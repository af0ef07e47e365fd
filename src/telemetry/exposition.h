// The families as text that Prometheus reads (version 0.0.4 of its format), and the file that node_exporter's
// textfile collector takes them from.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "telemetry/families.h"

namespace maeil::telemetry {

// Families without samples are left out.
std::string exposition(const Families& families);

// The turn of one writer of METRICS_FILE on this machine: whoever reads the store and writes the file within
// its turn never puts an older state in place of a newer one. Held until destroyed, by a lock on the file's
// folder, which is made. Whoever waited in vain goes on without (taken() is false): a task is not held up for
// its monitoring.
class Turn {
 public:
  explicit Turn(const std::string& path, std::chrono::milliseconds patience = std::chrono::seconds(2));
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();
  bool taken() const { return taken_; }

 private:
  int folder_ = -1;
  bool taken_ = false;
};

// METRICS_FILE: replaced in one step, readable for everybody (another user runs node_exporter). kUsage: the
// name does not end in ".prom", which is what the collector reads, or a folder or a device has it. kIo.
Status write_metrics_file(const std::string& path, const Families& families);

}  // namespace maeil::telemetry
