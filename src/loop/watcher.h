// Who watches work on a file while it goes on: sentences for people, and how far the rows are. The work
// itself prints nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace maeil::loop {

// Called by one thread at a time.
struct Watcher {
  std::function<void(std::string_view line, bool warning)> note;
  std::function<void(uint64_t done, uint64_t total)> rows;  // total 0: not known
};

}  // namespace maeil::loop
