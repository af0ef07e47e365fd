// The whole quality report of synthetic rows: scores, diagnostic, what can be learned from them, and privacy.
#pragma once

#include <optional>
#include <string>

#include "quality/columns.h"
#include "quality/diagnostic.h"
#include "quality/privacy.h"
#include "quality/scores.h"
#include "quality/utility.h"

namespace maeil::quality {

struct Report {
  Scores scores;
  Diagnostic diagnostic;
  std::optional<Utility> utility;    // when there is a target
  std::optional<Error> not_learned;  // when there is a target, and no utility
  Privacy privacy;
};

// What is said in every form of a report that has `not_learned`: one sentence, without a full stop.
std::string describe(const Error& not_learned);

// `target` "": no training. A report without XGBoost has `not_learned` (kNotFound); other errors of
// train_on_synthetic are errors here. Works on all threads; does not depend on their number.
Result<Report> make_report(const Data& data, const std::string& target);

}  // namespace maeil::quality
