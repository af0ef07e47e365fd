#include "kernels/instruction_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <mutex>

#include "base/philox.h"
#include "kernels/encoder.h"
#include "kernels/encoder_simd.h"

namespace maeil::kernels {
namespace {

constexpr const char* kScalar = "scalar";

// |a - b| / |b| in the l2 norm; infinity where something is not finite.
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    norm += double(b[i]) * b[i];
  }
  return std::isfinite(difference) ? std::sqrt(difference / norm) : INFINITY;
}

// With the set in use; scores grow with query_size^2.
bool agrees_with_reference(int head_size, float query_size) {
  const EncoderShape shape{13, 2 * head_size, 2, 20, 2};
  const size_t fd = size_t(shape.tokens) * shape.width, layer = layer_offsets(shape).size,
               d = size_t(shape.width);
  RandomSequence random(1, RandomStream::kInit, 0);
  const auto draw = [&](size_t n, float size) {
    std::vector<float> x(n);
    for (float& value : x) value = static_cast<float>(random.next_uniform() - 0.5) * size;
    return x;
  };
  std::vector<float> layers = draw(layer * shape.layers, 0.8f);
  for (int l = 0; l < shape.layers; ++l) {
    for (size_t i = 0; i < d * d; ++i) layers[l * layer + i] *= query_size;
    for (size_t i = 0; i < d; ++i)
      layers[(l + 1) * layer - 2 * d + i] += 1, layers[(l + 1) * layer - 4 * d + i] += 1;
  }
  const std::vector<float> tokens = draw(fd, 2), pooled_gradient = draw(d, 2);
  const RowDropout dropout{dropout_rate(0.3f), 5, 6, 7};

  std::vector<float> pooled(d), expected_pooled(d), token_gradient(fd), expected_token_gradient(fd);
  std::vector<float> folded(layers.size()), gradient(layers.size()), expected_gradient(layers.size());
  EncoderTape<float> tape;
  encoder_forward_ref(shape, layers.data(), tokens.data(), dropout, expected_pooled.data(), tape);
  encoder_backward_ref(shape, layers.data(), tape, pooled_gradient.data(), dropout,
                       expected_token_gradient.data(), expected_gradient.data());

  std::vector<float> packed(packed_offsets(shape).size * shape.layers);
  simd_pack(shape, layers.data(), packed.data());
  EncoderScratch scratch;
  const SimdCall call{shape, packed.data(), scratch.reserve(simd_scratch_size(shape, true))};
  simd_forward_training(call, tokens.data(), dropout, pooled.data());
  simd_backward(call, pooled_gradient.data(), dropout, token_gradient.data(), folded.data());
  simd_unfold_gradient(shape, layers.data(), folded.data(), gradient.data());
  constexpr double kTolerance = 1e-4;  // right code stays under 1e-5, a wrong mask or lane is above 1e-2
  return relative_error(pooled, expected_pooled) < kTolerance &&
         relative_error(token_gradient, expected_token_gradient) < kTolerance &&
         relative_error(gradient, expected_gradient) < kTolerance;
}

// Makes `target` the one in use and says whether it may be: every kind of head size, without and with the row
// maximum.
bool passes(int64_t target) {
  simd_use(target);
  for (const int head_size : {4, 8, 12}) {
    if (!agrees_with_reference(head_size, 1) || !agrees_with_reference(head_size, 60)) return false;
  }
  return true;
}

// Of the targets in a set of bits, best first: Highway gives better ones lower bits.
std::vector<int64_t> targets() {
  std::vector<int64_t> list;
  for (int64_t left = simd_targets(); left != 0; left &= left - 1) list.push_back(left & -left);
  return list;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The first instruction set that passes; 0: none.
int64_t choose_target() {
  const auto list = targets();
  const auto found = std::ranges::find_if(list, passes);
  return found == list.end() ? 0 : *found;
}

constexpr int64_t kNotChosen = -1;
std::mutex choice_mutex;
std::atomic<int64_t> chosen{kNotChosen};  // a target of Highway's; 0: none, plain loops

int64_t chosen_target() {
  if (const int64_t target = chosen.load(std::memory_order_acquire); target != kNotChosen) return target;
  std::lock_guard lock(choice_mutex);
  if (chosen.load() == kNotChosen) chosen.store(choose_target(), std::memory_order_release);
  return chosen.load();
}

}  // namespace

std::string instruction_set() {
  const int64_t target = chosen_target();
  return target == 0 ? kScalar : lower(simd_name(target));
}

std::string instruction_set(const EncoderShape& shape) {
  return has_simd(shape) ? instruction_set() : kScalar;
}

std::vector<std::string> instruction_sets() {
  chosen_target();  // looking the targets up makes Highway forget a choice that comes later
  std::lock_guard lock(choice_mutex);
  std::vector<std::string> names;
  for (const int64_t target : targets()) names.push_back(lower(simd_name(target)));
  if (const int64_t target = chosen.load(); target > 0) simd_use(target);
  names.push_back(kScalar);
  return names;
}

Status pin_instruction_set(std::string_view name) {
  std::lock_guard lock(choice_mutex);
  if (name.empty()) {
    chosen.store(kNotChosen);
    return {};
  }
  const std::string wanted = lower(name);
  if (wanted == kScalar) {
    chosen.store(0);
    return {};
  }
  const auto list = targets();
  const auto named = [&](const std::string& start, bool whole) {
    return std::ranges::find_if(list, [&](int64_t target) {
      const std::string own = lower(simd_name(target));
      return whole ? own == start : own.starts_with(start);
    });
  };
  auto found = named(wanted, true);
  if (found == list.end() && (wanted == "avx512" || wanted == "neon"))
    found = named(wanted == "neon" ? wanted : "avx3", false);
  if (found == list.end() && (wanted == "baseline" || wanted == "sse4") && !list.empty()) {
    found = list.end() - 1;
    if (wanted == "sse4" && lower(simd_name(*found)).find("sse") == std::string::npos) found = list.end();
  }
  if (found == list.end()) {
    std::vector<std::string> names;
    for (const int64_t target : list) names.push_back(lower(simd_name(target)));
    names.push_back(kScalar);
    if (const int64_t target = chosen.load(); target > 0) simd_use(target);
    return usage_error(fmt::format(
        "MAEIL_ISA: there is no instruction set '{}' on this processor; it has {} (empty: the best)", name,
        fmt::join(names, ", ")));
  }
  if (!passes(*found)) {
    chosen.store(kNotChosen);
    return internal_error(
        fmt::format("MAEIL_ISA: the instruction set {} does not reproduce the plain loops on this processor; "
                    "leave MAEIL_ISA "
                    "empty",
                    name));
  }
  chosen.store(*found);
  return {};
}

bool has_simd(const EncoderShape& s) {
  return s.width % (4 * s.heads) == 0 && s.feed_forward % 4 == 0 && chosen_target() != 0;
}

}  // namespace maeil::kernels
