// `maeil alert list | show | ack | silence | resolve`: how each trouble stands, and what people say of it.
#include <fmt/format.h>

#include "alerting/count_alerts.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "registry/audit.h"

namespace maeil::cli {
namespace {

using alerting::AlertState;

std::string short_id(const AlertState& state) { return alerting::state_id(state).substr(0, 8); }

std::string standing_text(const AlertState& state) {
  std::string out(alerting::to_string(state.standing));
  if (state.silenced_until) out += " until " + format_date(*state.silenced_until);
  return out;
}

// Reads the state, lets a person's act change it, and keeps both the state and who did it.
template <class Act>
Result<int> change(Context& context, const AlertOptions& options, const char* name, Act act) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const AlertState before, alerting::find_state(store, options.alert));
  AlertState after = before;
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  MAEIL_TRY(act(after, today, alerting::PersonsAct{registry::acting_user(), options.comment}));
  MAEIL_TRY(alerting::save_state(store, before, after,
                                 registry::audit_entry({.act = name,
                                                        .what = after.rule,
                                                        .from = alerting::to_string(before.standing),
                                                        .to = standing_text(after),
                                                        .run_id = "manual",
                                                        .comment = options.comment},
                                                       now())));
  if (context.json)
    print_json(alerting::to_document(after));
  else
    print_line(fmt::format("{} ({}) is {}", after.rule, short_id(after), standing_text(after)));
  return 0;
}

}  // namespace

Result<int> alert_list(Context& context, const AlertOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(auto states, alerting::list_states(store));
  if (!options.all)
    std::erase_if(states, [](const auto& state) { return state.standing == alerting::Standing::kResolved; });
  if (context.json) {
    auto array = store::Document::array();
    for (const auto& state : states) array.push_back(alerting::to_document(state));
    print_json(array);
    return 0;
  }
  if (states.empty()) {
    print_line(options.all ? "no alert was ever raised" : "nothing is open; --all shows what was resolved");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& state : states)
    rows.push_back({short_id(state), state.rule, state.severity, standing_text(state),
                    format_date(state.first_seen), format_date(state.last_seen),
                    fmt::format("{}", state.count), state.comment});
  print_table({"id", "alert", "severity", "state", "first seen", "last seen", "dates", "comment"}, rows);
  return 0;
}

Result<int> alert_show(Context& context, const AlertOptions& options) {
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const AlertState state, alerting::find_state(store, options.alert));
  store::FindOptions occurrences;
  occurrences.filter = {{"alert_key", alerting::state_id(state)}};
  occurrences.sort = {{"logical_date", -1}};
  MAEIL_ASSIGN(const auto alerts, store.find(alerting::kAlerts, occurrences));
  if (context.json) {
    store::Document out = alerting::to_document(state);
    out["alerts"] = alerts;
    print_json(out);
    return 0;
  }
  const store::Document shown = alerting::to_document(state);
  for (const auto& [name, value] : shown.items()) print_line(fmt::format("{:<16} {}", name, plain(value)));
  print_line("");
  for (const auto& alert : alerts)
    print_line(fmt::format("{}  {}", plain(alert.value("logical_date", store::Document())),
                           plain(alert.value("message", store::Document()))));
  return 0;
}

Result<int> alert_acknowledge(Context& context, const AlertOptions& options) {
  return change(context, options, "acknowledge alert",
                [](AlertState& state, Days, const alerting::PersonsAct& act) {
                  return alerting::acknowledge(state, act);
                });
}

Result<int> alert_silence(Context& context, const AlertOptions& options) {
  const auto until = parse_date(options.until);
  if (!until) return usage_error(fmt::format("--until {}: it must be YYYY-MM-DD", options.until));
  return change(context, options, "silence alert",
                [&](AlertState& state, Days today, const alerting::PersonsAct& act) {
                  return alerting::silence(state, *until, today, act);
                });
}

Result<int> alert_resolve(Context& context, const AlertOptions& options) {
  return change(context, options, "resolve alert",
                [](AlertState& state, Days today, const alerting::PersonsAct& act) {
                  return alerting::resolve(state, today, act);
                });
}

}  // namespace maeil::cli
