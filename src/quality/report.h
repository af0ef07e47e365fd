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
  std::optional<Utility> utility;  // when there is a target
  Privacy privacy;
};

// `target` "": no training. Errors are train_on_synthetic's. Works on all threads; does not depend on their
// number.
Result<Report> make_report(const Data& data, const std::string& target);

}  // namespace maeil::quality
