// What has yet to reach people, and what never did (alerting/deliveries.h).
#include <algorithm>
#include <array>

#include "alerting/deliveries.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {

Status read_deliveries(const Reading& reading) {
  constexpr std::array kChannels = {"email", "slack", "pagerduty", "webhook", "command"};
  auto& out = reading.out;
  MAEIL_ASSIGN(const auto outbox, alerting::look_into(reading.view));
  for (const auto& [name, channel] : outbox.channels) {
    if (std::ranges::find(kChannels, name) == kChannels.end()) {
      out.unreadable("alert_deliveries: the name of a channel");
      continue;
    }
    out.add(Metric::kDeliveries, {reading.dataset, name, "pending"}, static_cast<double>(channel.pending));
    out.add(Metric::kDeliveries, {reading.dataset, name, "failed"}, static_cast<double>(channel.failed));
    if (!channel.oldest_pending) continue;
    const std::chrono::duration<double> seconds = channel.oldest_pending->time_since_epoch();
    out.add(Metric::kOldestDelivery, {reading.dataset, name}, seconds.count());
  }
  return {};
}

}  // namespace maeil::telemetry
