#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace maeil {

namespace {
bool shown = true;
}

Progress::Progress(bool enabled) : enabled_(enabled && shown), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(bool on) { shown = on; }

void Progress::update(std::string_view what, uint64_t done, uint64_t total) {
  if (!enabled_) return;
  const auto now = Clock::now();
  if (what != what_) {
    finish();
    what_ = what;
    start_ = last_ = now;
    return;
  }
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double since = std::chrono::duration<double>(now - last_).count();
  if (elapsed < 0.5 || since < (terminal_ ? 0.1 : 10.0)) return;
  last_ = now;
  std::string line = fmt::format("{}  {}", what, done);
  if (total > 0) {
    constexpr int kWidth = 30;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kWidth);
    const double left = done > 0 ? elapsed / done * (total - std::min(done, total)) : 0;
    line = fmt::format("{}  [{}{}] {:3.0f} %  {}/{}  {:.0f} s left", what, std::string(filled, '#'),
                       std::string(kWidth - filled, '.'), share * 100, done, total, left);
  }
  if (terminal_) {
    std::fputs(fmt::format("\r\x1b[2K{}", line).c_str(), stderr);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    std::fputs((line + "\n").c_str(), stderr);
  }
}

void Progress::finish() {
  if (drawn_) {
    std::fputs("\r\x1b[2K", stderr);
    std::fflush(stderr);
  }
  drawn_ = false;
  what_.clear();
}

}  // namespace maeil
