// Any bytes as the JSON of a calibration or of a threshold: what is accepted must keep probabilities in order
// and within [0, 1], and say the same after another time through JSON.
#include <cstdlib>

#include "format/json.h"
#include "model/calibration.h"
#include "model/threshold.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::model;
  const auto json = maeil::parse_json<Json>({reinterpret_cast<const char*>(data), size}, "f");
  if (!json) return 0;
  if (const auto calibration = calibration_from_json(*json)) {
    double before = 0;
    for (const double p : {0.0, 5e-324, 1e-15, 0.001, 0.25, 0.5, 0.75, 0.999, 0.9999999999999999, 1.0}) {
      const double q = calibrated(*calibration, p);
      if (!(q >= before && q <= 1)) std::abort();
      before = q;
    }
    const auto again = calibration_from_json(to_json(*calibration));
    if (!again || to_json(*again) != to_json(*calibration)) std::abort();
  }
  if (const auto threshold = threshold_from_json(*json)) {
    if (!decides_positive(*threshold, 1)) std::abort();
    const auto again = threshold_from_json(to_json(*threshold));
    if (!again || to_json(*again) != to_json(*threshold)) std::abort();
  }
  return 0;
}
