#include "model/decision.h"

namespace maeil::model {

Json to_json(const Decision& decision) {
  return {{"calibration", to_json(decision.calibration)},
          {"threshold", to_json(decision.threshold)},
          {"choice", decision.choice}};
}

Result<Decision> decision_from_json(const Json& json) {
  if (!json.is_object() || !json.contains("calibration") || !json.contains("threshold"))
    return bad_input("the decision must be an object with a calibration and a threshold");
  Decision out;
  MAEIL_ASSIGN(out.calibration, calibration_from_json(json["calibration"]));
  MAEIL_ASSIGN(out.threshold, threshold_from_json(json["threshold"]));
  if (const auto choice = json.find("choice"); choice != json.end() && choice->is_object())
    out.choice = *choice;
  return out;
}

}  // namespace maeil::model
