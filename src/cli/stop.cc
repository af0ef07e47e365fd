#include "cli/stop.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

namespace maeil::cli {
namespace {

std::atomic<bool> asked{false};

// The first signal: the present task is the last. The second ends the process where it is, as kill -9 would;
// what is in the store is whole. Nothing here but what a signal handler may call (signal-safety(7)).
void stop(int signal) {
  static_assert(std::atomic<bool>::is_always_lock_free);
  if (asked.exchange(true)) {
    std::signal(signal, SIG_DFL);
    ::_exit(128 + signal);
  }
  const int interrupted = errno;
  constexpr std::string_view kSaid =
      "\nmaeil: stops after the present task; a second signal ends it at once\n";
  (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
  errno = interrupted;
}

}  // namespace

void stop_on_signals() {
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
}

const std::atomic<bool>& stop_asked() { return asked; }

}  // namespace maeil::cli
