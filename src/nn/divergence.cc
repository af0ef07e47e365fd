#include "nn/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace maeil::nn {
namespace {

constexpr const char* kAdvice =
    "lower LEARNING_RATE (for a fine-tuning FINETUNE_LEARNING_RATE); nothing of it was kept";

}  // namespace

double constant_loss(std::span<const double> weight_of_class) {
  const double total = std::accumulate(weight_of_class.begin(), weight_of_class.end(), 0.0);
  double loss = 0;
  for (const double weight : weight_of_class)
    loss -= weight > 0 ? weight / total * std::log(weight / total) : 0;
  return loss;
}

bool has_diverged(std::span<const EpochLoss> epochs, const EpochLoss& start, const EpochLoss& end) {
  const auto above = [&](const EpochLoss& loss, double times) {
    return !(loss.mean <= times * std::max(loss.constant, start.mean));
  };
  if (above(end, kDivergenceMargin)) return true;
  const bool exploded =
      std::ranges::any_of(epochs, [&](const EpochLoss& epoch) { return above(epoch, kExplosion); });
  return exploded && end.mean > kRecovered * end.constant;
}

bool has_collapsed(double last, double constant, double start) {
  if (!std::isfinite(last)) return true;
  return start < 0.98 * constant && last > (start + constant) / 2;
}

tl::unexpected<Error> divergence_error(const char* what, double last, double constant, double start) {
  return fail(
      ErrorCode::kFailed,
      fmt::format("the {} diverged: its loss is {:.4g} in the end; a constant answer has {:.4g}, and the "
                  "model before it had {:.4g}: {}",
                  what, last, constant, start, kAdvice));
}

tl::unexpected<Error> not_finite_error(const char* what, uint64_t step) {
  return fail(ErrorCode::kFailed,
              fmt::format("the {} diverged: the loss, a gradient or a parameter is not finite at step {}: {}",
                          what, step, kAdvice));
}

}  // namespace maeil::nn
