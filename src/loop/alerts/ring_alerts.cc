#include "loop/alerts/ring_alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/count_alerts.h"
#include "alerting/deliveries.h"
#include "loop/alerts/evidence.h"
#include "loop/alerts/is_over.h"
#include "loop/day.h"
#include "loop/verdict_record.h"
#include "registry/versions.h"

namespace maeil::loop {

alerting::Channels channels_of(const Settings& settings) {
  return {.smtp_url = settings.smtp_url,
          .email_from = settings.alert_email_from,
          .email_to = settings.alert_email_to,
          .slack_webhook_url = settings.slack_webhook_url,
          .pagerduty_routing_key = settings.pagerduty_routing_key,
          .pagerduty_url = settings.pagerduty_url,
          .webhook_url = settings.alert_webhook_url,
          .webhook_secret = settings.alert_webhook_secret,
          .command = settings.alert_command,
          .ca_file = settings.alert_ca_file,
          .routes = settings.alert_routes};
}

Result<std::vector<std::string>> send_alerts(store::Store& store, const Settings& settings,
                                             std::chrono::milliseconds budget) {
  const alerting::Channels channels = channels_of(settings);
  MAEIL_ASSIGN(const auto names, alerting::names_of(channels));
  return alerting::deliver(store, {.channels = names,
                                   .budget = budget,
                                   .give_up_hours = settings.alert_give_up_hours,
                                   .send = [&](std::string_view channel, const alerting::Message& message,
                                               std::chrono::milliseconds limit) {
                                     return alerting::send(channels, channel, message, limit);
                                   }});
}

namespace {

Result<alerting::Counted> count(store::Store& store, const Day& day) {
  const alerting::Channels channels = channels_of(day.settings);
  // A damaged event is said by whoever judges; here it is as if there were no verdict yet.
  const auto verdict = newest_verdict(store);
  const std::optional<Days> newest = verdict ? *verdict : std::nullopt;
  return alerting::count_alerts(
      store, {.dataset = day.settings.dataset,
              .model = registry::kClassifier,
              .patience = {day.settings.alert_repeat_days},
              .newest = newest,
              .holder = "counting alerts",
              .is_over = [&](const alerting::AlertState& state,
                             bool opens) { return is_over(store, day, newest, state, opens); },
              .diagnose = [&](const store::Document& alert) -> Result<alerting::Diagnosis> {
                MAEIL_ASSIGN(const auto evidence, evidence_of(store, alert));
                auto diagnosis = monitor::diagnose(evidence);
                // Where a folder has several datasets a command must name its own.
                if (std::ranges::find(
                        day.settings.origins,
                        std::pair<std::string, std::string>{"DATASET_SPEC", "describes the dataset"}) !=
                    day.settings.origins.end())
                  diagnosis.environment = "DATASET=" + day.settings.dataset;
                return diagnosis;
              },
              .channels = [&](std::string_view severity) { return alerting::routed(channels, severity); }});
}

}  // namespace

std::vector<std::string> ring_alerts(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec, std::chrono::milliseconds budget) {
  const auto counted = count(store, {settings, spec});
  std::vector<std::string> out;
  if (!counted)
    out.push_back(fmt::format("warning: the alerts could not be counted: {}", counted.error().message));
  const auto& [told, warnings] = counted ? *counted : alerting::Counted();
  for (const auto& warning : warnings)
    out.push_back(fmt::format("warning: an alert could not be counted: {}", warning));
  for (const auto& [state, ring] : told) {
    const std::string name = fmt::format("alert {} ({})", state.rule, state.severity);
    if (ring == alerting::Ring::kResolved)
      out.push_back(fmt::format("{} is resolved: last seen on {}", name, format_date(state.last_seen)));
    else
      out.push_back(fmt::format("{} {}, on {} date{} since {}: {}", name,
                                ring == alerting::Ring::kOpened ? "is open" : "is open still", state.count,
                                state.count == 1 ? "" : "s", format_date(state.first_seen), state.message));
  }
  const auto sent = send_alerts(store, settings, budget);
  if (sent)
    out.insert(out.end(), sent->begin(), sent->end());
  else
    out.push_back(fmt::format("warning: alerts could not be sent: {}", sent.error().message));
  return out;
}

}  // namespace maeil::loop
