#include "quality/report.h"

namespace maeil::quality {

Result<Report> make_report(const Data& data, const std::string& target) {
  Report out;
  if (!target.empty()) {
    MAEIL_ASSIGN(out.utility, train_on_synthetic(data, target));
  }
  out.scores = score(data);
  out.diagnostic = diagnose(data);
  out.privacy = measure_privacy(data);
  return out;
}

}  // namespace maeil::quality
