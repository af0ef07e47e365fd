// Progress of long work: a bar on a terminal, plain lines in a pipe. Written to standard error only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace maeil {

// A bar appears once the work has lasted half a second and is redrawn ten times a second at most; without a
// terminal one line is written every ten seconds. finish() (or the destructor) clears the bar. Not thread
// safe.
class Progress {
 public:
  explicit Progress(bool enabled = true);
  static void show(bool on);  // whether any that is made from now on may; on by default
  ~Progress() { finish(); }
  // `total` 0: unknown, only the count is shown. A new `what` starts a new bar.
  void update(std::string_view what, uint64_t done, uint64_t total);
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  bool enabled_, terminal_, drawn_ = false;
  std::string what_;
  Clock::time_point start_, last_;
};

}  // namespace maeil
