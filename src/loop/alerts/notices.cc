#include "loop/alerts/notices.h"

#include "alerting/deliveries.h"
#include "loop/alerts/ring_alerts.h"

namespace maeil::loop {

Result<std::vector<store::Batch::Put>> notices(store::Store& store, const Settings& settings,
                                               const std::string& rule, const registry::ModelVersion& version,
                                               Days date, const std::string& message) {
  std::vector<store::Batch::Put> out;
  MAEIL_ASSIGN(const auto channels, alerting::noticed(channels_of(settings)));
  if (channels.empty()) return out;
  MAEIL_ASSIGN(const Instant when, store.time());
  alerting::AlertState state{.dataset = settings.dataset,
                             .model = registry::kClassifier,
                             .rule = rule,
                             .segment = version.version,
                             .severity = "INFO",
                             .message = message,
                             .first_seen = date,
                             .last_seen = date,
                             .count = 1};
  state.diagnosis.commands = {"maeil model show " + version.version};
  // A version may be deployed more than once: its messages are in order of time.
  const int64_t number =
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  for (const auto& channel : channels)
    out.push_back({alerting::kDeliveries,
                   alerting::new_delivery({alerting::Ring::kNotice, state}, number, channel, when)});
  return out;
}

}  // namespace maeil::loop
