// The preparation of families that split numbers into ranges: a number stays in its column's own units, and a
// missing one stays missing.
#pragma once

#include "prep/preparation.h"

namespace maeil::model {

inline prep::Preparation in_own_units(prep::Preparation fitted) {
  fitted.keep_missing = true;
  for (auto& feature : fitted.numeric) feature.median = 0, feature.iqr = 1;
  return fitted;
}

}  // namespace maeil::model
