// What a column's numbers look like: how many decimals they keep and between which ends they lie.
#pragma once

#include <cmath>
#include <cstdlib>
#include <optional>

namespace maeil::table {

// What a value that is drawn, or moved by a constraint, keeps.
struct ValueRange {
  std::optional<int> digits;       // decimals, -15..15; nullopt: not rounded
  std::optional<double> min, max;  // nullopt: no end
};

// What numpy's round(x, digits) computes: scale, round half to even, scale back.
struct Rounding {
  explicit Rounding(std::optional<int> digits) {
    if (!digits) return;
    power = std::pow(10.0, std::abs(*digits));
    kind = *digits >= 0 ? kDecimals : kTens;
  }
  // Down to a multiple of `step`, as a time becomes its day.
  static Rounding to_steps(double step) {
    Rounding out(std::nullopt);
    out.power = step;
    out.kind = kSteps;
    return out;
  }
  double operator()(double x) const {
    switch (kind) {
      case kDecimals:
        return std::nearbyint(x * power) / power;
      case kTens:
        return std::nearbyint(x / power) * power;
      case kSteps:
        return std::floor(x / power) * power;
      default:
        return x;
    }
  }
  // The nearest value with these digits that is not below (not above) x; x itself where doubles are too
  // coarse for a step.
  double up(double x) const { return beside(x, 1); }
  double down(double x) const { return beside(x, -1); }

  enum { kNone, kDecimals, kTens, kSteps } kind = kNone;
  double power = 1;

 private:
  double beside(double x, double step) const {
    const double near = (*this)(x);
    if ((near - x) * step >= 0) return near;
    const double next = kind == kDecimals ? (std::nearbyint(x * power) + step) / power : near + step * power;
    return (next - x) * step >= 0 ? next : x;
  }
};

}  // namespace maeil::table
