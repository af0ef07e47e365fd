#include "loop/alerts.h"

#include <fmt/format.h>

#include "alerting/count_alerts.h"
#include "registry/versions.h"

namespace maeil::loop {

std::vector<std::string> ring_alerts(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec) {
  const auto told =
      alerting::count_alerts(store, {.dataset = spec.name,
                                     .model = registry::kClassifier,
                                     .patience = {settings.alert_repeat_days, settings.alert_clear_days},
                                     .holder = "counting alerts"});
  if (!told) return {fmt::format("warning: the alerts could not be counted: {}", told.error().message)};
  std::vector<std::string> out;
  for (const auto& [state, ring] : *told) {
    const std::string name = fmt::format("alert {} ({})", state.rule, state.severity);
    if (ring == alerting::Ring::kResolved)
      out.push_back(fmt::format("{} is resolved: last seen on {}", name, format_date(state.last_seen)));
    else
      out.push_back(fmt::format("{} {}, on {} date{} since {}: {}", name,
                                ring == alerting::Ring::kOpened ? "is open" : "is open still", state.count,
                                state.count == 1 ? "" : "s", format_date(state.first_seen), state.message));
  }
  return out;
}

}  // namespace maeil::loop
