// Which retraining attempt the next one continues.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace maeil::loop {

// An attempt's metrics on the validation part of `fine`; absent where they are undefined: F1 without a
// default, log loss without a row.
struct AttemptScore {
  std::optional<double> f1_score, log_loss;
};

// The index of the best attempt: the highest F1, among equals the lowest log loss. Where an attempt has no
// F1, undefined being no 0, log loss alone decides; where one has neither, or both are equal, the newest (the
// last), which has learnt longest. REQUIRES: attempts is not empty.
size_t best_attempt(const std::vector<AttemptScore>& attempts);

}  // namespace maeil::loop
