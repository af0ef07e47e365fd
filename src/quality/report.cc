#include "quality/report.h"

namespace maeil::quality {

std::string describe(const Error& not_learned) {
  return "no model was trained on the synthetic rows: " + not_learned.message;
}

Result<Report> make_report(const Data& data, const std::string& target) {
  Report out;
  if (!target.empty()) {
    auto learned = train_on_synthetic(data, target);
    if (learned)
      out.utility = std::move(*learned);
    else if (learned.error().code == ErrorCode::kNotFound)
      out.not_learned = std::move(learned.error());
    else
      return tl::make_unexpected(std::move(learned.error()));
  }
  out.scores = score(data);
  out.diagnostic = diagnose(data);
  out.privacy = measure_privacy(data);
  return out;
}

}  // namespace maeil::quality
