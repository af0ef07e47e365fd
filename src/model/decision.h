// What a version makes of what its model says: calibrated probabilities, and the threshold from which on a
// row is decided to be a positive. It is chosen once, on rows that were not learnt from, and travels in the
// version's file.
#pragma once

#include <nlohmann/json.hpp>

#include "model/calibration.h"
#include "model/threshold.h"

namespace maeil::model {

struct Decision {
  Calibration calibration;
  Threshold threshold;  // of calibrated probabilities
  Json choice;          // how the calibrator was chosen (calibration_choice.h); null: it was not
};

// {"calibration", "threshold", "choice"}.
Json to_json(const Decision& decision);
// From untrusted JSON: kBadInput names what is wrong.
Result<Decision> decision_from_json(const Json& json);

}  // namespace maeil::model
