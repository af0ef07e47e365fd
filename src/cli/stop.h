// How a command that goes on ends: by a signal, after what it is at.
#pragma once

#include <atomic>

namespace maeil::cli {

// From now on SIGINT and SIGTERM set stop_asked(), the second one ends the process where it is, as kill -9
// would.
void stop_on_signals();
const std::atomic<bool>& stop_asked();

}  // namespace maeil::cli
