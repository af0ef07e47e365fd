// What makes a model's probabilities those of a default: the prior shift of the training's class weights is
// undone in closed form, then a monotone calibrator is applied (docs/calibration.md).
//
// A Calibration is a value that is stored with a version. One is fitted by model/calibration_fit.h and chosen
// by model/calibration_choice.h. Each step is monotone, so no two rows change places; they may become equal.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace maeil::model {

using Json = nlohmann::ordered_json;

// A probability of which logarithms can be taken, within the bounds that the log loss has too.
inline double within_logarithms(double p) { return std::clamp(p, 1e-15, 1 - 1e-15); }

// q, the calibrated probability, from p, the probability after the prior shift is undone, brought
// within_logarithms where there are any.
struct NoCalibrator {};  // q = p

// logit q = slope logit p + intercept; slope >= 0. Platt 1999, on the logit.
struct PlattCalibrator {
  double slope = 1, intercept = 0;
};

// logit q = a ln p - b ln(1 - p) + c; a, b >= 0. Kull, Silva Filho, Flach 2017.
struct BetaCalibrator {
  double a = 1, b = 1, c = 0;
};

// Linear between the points (x, y), constant outside of them. x strictly ascending, y not descending, both
// within [0, 1]; 1 to kMostIsotonicPoints of them. Zadrozny, Elkan 2002.
struct IsotonicCalibrator {
  std::vector<double> x, y;
};

using Calibrator = std::variant<NoCalibrator, PlattCalibrator, BetaCalibrator, IsotonicCalibrator>;

// In the order of Calibrator, from the simplest on.
enum class CalibrationMethod { kNone, kPlatt, kBeta, kIsotonic };

struct Calibration {
  // What a positive counted for over a negative in the training, in effect (model/prior_shift.h); 1: the same
  double prior_weight = 1;
  Calibrator calibrator;
};

// A fit has two points a block, and n rows have at most some n^(2/3) blocks of different rates: 10,000 of a
// million rows at the very worst.
inline constexpr size_t kMostIsotonicPoints = 200'000;

CalibrationMethod method_of(const Calibrator& calibrator);
std::string_view to_string(CalibrationMethod method);  // "none", "platt", "beta", "isotonic"

// kBadInput for what is not as said above, or a number that is not finite or above 1e100.
Status check_calibration(const Calibration& calibration);

// p / (p + w (1 - p)): what a model says that counted positives w times, at the rate that they really have.
// Elkan 2001, theorem 2; Saerens, Latinne, Decaestecker 2002. Exactly p at w = 1.
// NaN for what is no probability. REQUIRES: weight > 0.
double undo_prior_shift(double p, double weight);

// The calibrated probability, within [0, 1]; NaN for what is no probability, which must not pass for one.
// REQUIRES: check_calibration passes.
double calibrated(const Calibration& calibration, double p);
void calibrate(const Calibration& calibration, std::span<double> probabilities);  // each in place

// {"prior_weight", "method", and its parameters by the names above}.
Json to_json(const Calibration& calibration);
// From untrusted JSON: kBadInput names what is wrong; a key that is not known is wrong.
Result<Calibration> calibration_from_json(const Json& json);

}  // namespace maeil::model
