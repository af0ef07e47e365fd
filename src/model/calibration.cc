// Each formula is written so that its rounding is monotone too: sums, products and quotients of monotone
// terms, std::lerp between points.
#include "model/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace maeil::model {
namespace {

constexpr std::array<std::string_view, 4> kMethodNames = {"none", "platt", "beta", "isotonic"};
constexpr double kLargestParameter = 1e100;  // far above any fit; times a logit and added up it stays finite

double probability_of_logit(double z) { return 1 / (1 + std::exp(-z)); }

double value_of(const NoCalibrator&, double p) { return p; }

double value_of(const PlattCalibrator& m, double p) {
  p = within_logarithms(p);
  return probability_of_logit(m.slope * std::log(p / (1 - p)) + m.intercept);
}

double value_of(const BetaCalibrator& m, double p) {
  p = within_logarithms(p);
  return probability_of_logit(m.a * std::log(p) - m.b * std::log1p(-p) + m.c);
}

double value_of(const IsotonicCalibrator& m, double p) {
  const size_t above = static_cast<size_t>(std::upper_bound(m.x.begin(), m.x.end(), p) - m.x.begin());
  if (above == 0) return m.y.front();
  if (above == m.x.size()) return m.y.back();
  const double share = (p - m.x[above - 1]) / (m.x[above] - m.x[above - 1]);
  return std::lerp(m.y[above - 1], m.y[above], share);
}

// A method's parameters by name, for both directions.
template <class M, class Visit>
void visit_parameters(M& m, Visit&& visit) {
  using Method = std::remove_const_t<M>;
  if constexpr (std::is_same_v<Method, PlattCalibrator>) {
    visit("slope", m.slope), visit("intercept", m.intercept);
  } else if constexpr (std::is_same_v<Method, BetaCalibrator>) {
    visit("a", m.a), visit("b", m.b), visit("c", m.c);
  } else if constexpr (std::is_same_v<Method, IsotonicCalibrator>) {
    visit("x", m.x), visit("y", m.y);
  }
}

bool usable(double x) { return std::abs(x) <= kLargestParameter; }  // false for NaN

Status check(const NoCalibrator&) { return {}; }

Status check(const PlattCalibrator& m) {
  if (!usable(m.slope) || !usable(m.intercept) || m.slope < 0)
    return bad_input(fmt::format("calibration: a slope of {} and an intercept of {} are no Platt calibration",
                                 m.slope, m.intercept));
  return {};
}

Status check(const BetaCalibrator& m) {
  if (!usable(m.a) || !usable(m.b) || !usable(m.c) || m.a < 0 || m.b < 0)
    return bad_input(
        fmt::format("calibration: a = {}, b = {} and c = {} are no beta calibration", m.a, m.b, m.c));
  return {};
}

Status check(const IsotonicCalibrator& m) {
  if (m.x.size() != m.y.size() || m.x.empty() || m.x.size() > kMostIsotonicPoints)
    return bad_input(
        fmt::format("calibration: {} x and {} y are no isotonic calibration, which has as many of "
                    "both, 1 to {}",
                    m.x.size(), m.y.size(), kMostIsotonicPoints));
  for (size_t i = 0; i < m.x.size(); ++i) {
    if (!(m.x[i] >= 0 && m.x[i] <= 1 && m.y[i] >= 0 && m.y[i] <= 1))
      return bad_input(
          fmt::format("calibration: the isotonic point {} ({}, {}) is not within [0, 1]", i, m.x[i], m.y[i]));
    if (i > 0 && (m.x[i] <= m.x[i - 1] || m.y[i] < m.y[i - 1]))
      return bad_input(
          fmt::format("calibration: the isotonic point {} ({}, {}) does not rise from the one "
                      "before, ({}, {})",
                      i, m.x[i], m.y[i], m.x[i - 1], m.y[i - 1]));
  }
  return {};
}

Result<const Json*> parameter(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return bad_input(fmt::format("calibration: there is no \"{}\"", name));
  return &*found;
}

Status read_parameter(const Json& json, const char* name, double& out) {
  MAEIL_ASSIGN(const Json* value, parameter(json, name));
  if (!value->is_number()) return bad_input(fmt::format("calibration: \"{}\" is no number", name));
  out = value->get<double>();
  return {};
}

Status read_parameter(const Json& json, const char* name, std::vector<double>& out) {
  MAEIL_ASSIGN(const Json* value, parameter(json, name));
  if (!value->is_array() || value->size() > kMostIsotonicPoints)
    return bad_input(
        fmt::format("calibration: \"{}\" is no list of at most {} numbers", name, kMostIsotonicPoints));
  out.reserve(value->size());
  for (const Json& item : *value) {
    if (!item.is_number())
      return bad_input(fmt::format("calibration: \"{}\" holds something that is no number", name));
    out.push_back(item.get<double>());
  }
  return {};
}

// The method called `name`, with default parameters.
template <size_t I = 0>
Result<Calibrator> calibrator_called(std::string_view name) {
  if constexpr (I == std::variant_size_v<Calibrator>) {
    return bad_input("calibration: the method is none of none, platt, beta and isotonic");
  } else {
    if (name == kMethodNames[I]) return Calibrator(std::in_place_index<I>);
    return calibrator_called<I + 1>(name);
  }
}

}  // namespace

CalibrationMethod method_of(const Calibrator& calibrator) {
  return static_cast<CalibrationMethod>(calibrator.index());
}

std::string_view to_string(CalibrationMethod method) { return kMethodNames[static_cast<size_t>(method)]; }

Status check_calibration(const Calibration& calibration) {
  if (!usable(calibration.prior_weight) || calibration.prior_weight < 1 / kLargestParameter)
    return bad_input(
        fmt::format("calibration: {} is no weight of positives over negatives", calibration.prior_weight));
  return std::visit([](const auto& m) { return check(m); }, calibration.calibrator);
}

double undo_prior_shift(double p, double weight) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  // The odds against, w (1 - p) / p, fall in every rounded step as p rises.
  return weight == 1 ? p : 1 / (1 + weight * ((1 - p) / p));
}

double calibrated(const Calibration& calibration, double p) {
  calibrate(calibration, {&p, 1});
  return p;
}

void calibrate(const Calibration& calibration, std::span<double> probabilities) {
  std::visit(
      [&](const auto& m) {
        for (double& p : probabilities) {
          p = undo_prior_shift(p, calibration.prior_weight);
          if (!std::isnan(p)) p = value_of(m, p);
        }
      },
      calibration.calibrator);
}

Json to_json(const Calibration& calibration) {
  Json out = {{"prior_weight", calibration.prior_weight},
              {"method", to_string(method_of(calibration.calibrator))}};
  std::visit(
      [&](const auto& m) {
        visit_parameters(m, [&](const char* name, const auto& value) { out[name] = value; });
      },
      calibration.calibrator);
  return out;
}

Result<Calibration> calibration_from_json(const Json& json) {
  if (!json.is_object()) return bad_input("calibration: an object is expected");
  Calibration out;
  MAEIL_TRY(read_parameter(json, "prior_weight", out.prior_weight));
  MAEIL_ASSIGN(const Json* method, parameter(json, "method"));
  if (!method->is_string()) return bad_input("calibration: \"method\" is no text");
  MAEIL_ASSIGN(out.calibrator, calibrator_called(method->get_ref<const std::string&>()));
  size_t keys = 2;
  Status read;
  std::visit(
      [&](auto& m) {
        visit_parameters(m, [&](const char* name, auto& value) {
          ++keys;
          if (read) read = read_parameter(json, name, value);
        });
      },
      out.calibrator);
  MAEIL_TRY(read);
  if (json.size() != keys)
    return bad_input(fmt::format("calibration: {} keys, where a calibration of the method {} has {}",
                                 json.size(), to_string(method_of(out.calibrator)), keys));
  MAEIL_TRY(check_calibration(out));
  return out;
}

}  // namespace maeil::model
