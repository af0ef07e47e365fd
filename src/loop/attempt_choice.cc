#include "loop/attempt_choice.h"

#include <algorithm>

namespace maeil::loop {

size_t best_attempt(const std::vector<AttemptScore>& attempts) {
  const bool by_f1 = std::ranges::all_of(attempts, [](const auto& one) { return one.f1_score.has_value(); });
  const bool by_loss =
      std::ranges::all_of(attempts, [](const auto& one) { return one.log_loss.has_value(); });
  const auto is_worse = [&](const AttemptScore& a, const AttemptScore& b) {
    if (by_f1 && *a.f1_score != *b.f1_score) return *a.f1_score < *b.f1_score;
    return by_loss && *a.log_loss > *b.log_loss;
  };
  size_t best = 0;
  for (size_t k = 1; k < attempts.size(); ++k) {
    if (!is_worse(attempts[k], attempts[best])) best = k;
  }
  return best;
}

}  // namespace maeil::loop
