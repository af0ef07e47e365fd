#include "model/prior_shift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace maeil::model {
namespace {

// The mean of value(k) where k of `drawn` rows are positive, drawn without replacement from these: the
// hypergeometric distribution, by the ratio of neighbouring probabilities, outwards from its mode.
template <class Value>
double hypergeometric_mean(double negatives, double positives, double drawn, Value&& value) {
  const double least = std::max(0.0, drawn - negatives), most = std::min(drawn, positives);
  const double mode =
      std::clamp(std::floor((drawn + 1) * (positives + 1) / (negatives + positives + 2)), least, most);
  const auto ratio = [&](double k) {  // P(k + 1) / P(k)
    return (positives - k) * (drawn - k) / ((k + 1) * (negatives - drawn + k + 1));
  };
  double sum = value(mode), mass = 1, share = 1;
  for (double k = mode; k < most && share > 0; ++k) {
    share *= ratio(k);
    sum += share * value(k + 1), mass += share;
  }
  share = 1;
  for (double k = mode - 1; k >= least && share > 0; --k) {
    share /= ratio(k);
    sum += share * value(k), mass += share;
  }
  return sum / mass;
}

}  // namespace

Result<double> prior_weight_of_batches(double class_weight, uint64_t negatives, uint64_t positives,
                                       size_t batch) {
  if (negatives == 0 || positives == 0 || batch == 0 || !(class_weight > 0 && std::isfinite(class_weight)))
    return bad_input(fmt::format(
        "prior shift: {} negatives, {} positives, batches of {} rows and a class weight of {} are "
        "no training",
        negatives, positives, batch, class_weight));
  const double n0 = static_cast<double>(negatives), n1 = static_cast<double>(positives);
  const double others = std::min(static_cast<double>(batch), n0 + n1) - 1;
  // One row's share of its batch's weights, over what the other rows may be.
  const double positive = hypergeometric_mean(
      n0, n1 - 1, others, [&](double k) { return class_weight / (class_weight * (1 + k) + others - k); });
  const double negative = hypergeometric_mean(
      n0 - 1, n1, others, [&](double k) { return 1 / (class_weight * k + 1 + others - k); });
  return positive / negative;
}

}  // namespace maeil::model
