#include "nn/slow_shape.h"

#include <fmt/format.h>

#include <mutex>
#include <set>
#include <utility>

#include "kernels/instruction_set.h"

namespace maeil::nn {
namespace {

std::mutex mutex;
std::set<std::string> told;
std::function<void(const std::string&)> listener;

}  // namespace

std::string slow_shape_sentence(const ModelShape& shape) {
  const auto encoder = shape.encoder();
  if (kernels::has_simd(encoder) || kernels::instruction_set() == "scalar") return "";
  const int head_size = shape.width / shape.heads;
  return fmt::format(
      "NHEAD {} with D_MODEL {} makes heads of size {}{}: only plain loops compute that, 16 to 30 times "
      "slower; head sizes (D_MODEL / NHEAD) "
      "4, 8, 12, 16 and every further multiple of 4 are fast, with a DIM_FEEDFORWARD that is a multiple of 4",
      shape.heads, shape.width, head_size,
      head_size % 4 == 0 ? fmt::format(" and DIM_FEEDFORWARD is {}", shape.feed_forward) : "");
}

void on_slow_shape(std::function<void(const std::string&)> tell) {
  std::lock_guard lock(mutex);
  listener = std::move(tell);
}

void note_slow_shape(const ModelShape& shape) {
  const std::string sentence = slow_shape_sentence(shape);
  if (sentence.empty()) return;
  std::lock_guard lock(mutex);
  if (listener && told.insert(sentence).second) listener(sentence);
}

}  // namespace maeil::nn
