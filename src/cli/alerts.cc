// `maeil alert list | show | ack | silence | resolve | test` and `notify`: how each trouble stands, what
// people say of it, and what the channels are told.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "alerting/count_alerts.h"
#include "cli/commands.h"
#include "cli/metrics.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "dag/execute.h"
#include "loop/alerts/ring_alerts.h"
#include "registry/audit.h"
#include "registry/versions.h"

namespace maeil::cli {
namespace {

using alerting::AlertState;

std::string short_id(const AlertState& state) { return alerting::state_id(state).substr(0, 8); }

std::string standing_text(const AlertState& state) {
  std::string out(alerting::to_string(state.standing));
  if (state.silenced_until) out += " until " + format_date(*state.silenced_until);
  return out;
}

// Reads the state, lets a person's act change it, keeps both the state and who did it, and tells the
// channels.
template <class Act>
Result<int> change(Context& context, const AlertOptions& options, const char* name, alerting::Ring ring,
                   Act act) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const AlertState before, alerting::find_state(store, options.alert));
  AlertState after = before;
  MAEIL_TRY(act(after, alerting::PersonsAct{registry::acting_user(), options.comment}));
  MAEIL_ASSIGN(auto channels, alerting::routed(loop::channels_of(context.settings), after.severity));
  // An incident is taken by somebody, an email is not.
  if (ring == alerting::Ring::kAcknowledged)
    std::erase_if(channels, [](const std::string& channel) { return channel != "pagerduty"; });
  MAEIL_TRY(alerting::save_state(store, before, after, ring, channels,
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
  MAEIL_ASSIGN(const auto sent, loop::send_alerts(store, context.settings, std::chrono::seconds(10)));
  for (const auto& line : sent) note_task_line(line);
  keep_metrics_file(context);
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
  occurrences.filter = {{"alert_key", alerting::state_id(state)}, {"superseded_by", {{"$exists", false}}}};
  occurrences.sort = {{"logical_date", -1}};
  MAEIL_ASSIGN(const auto alerts, store.find(alerting::kAlerts, occurrences));
  if (context.json) {
    store::Document out = alerting::to_document(state);
    out["alerts"] = alerts;
    print_json(out);
    return 0;
  }
  store::Document shown = alerting::to_document(state);
  shown.erase("diagnosis");  // told below
  for (const auto& [name, value] : shown.items()) print_line(fmt::format("{:<16} {}", name, plain(value)));
  if (const auto& why = state.diagnosis;
      !why.cause.empty() || !why.changes.empty() || !why.commands.empty()) {
    print_line("");
    if (!why.cause.empty()) print_line(fmt::format("Likely cause: {}.", why.cause));
    if (why.good_day) print_line(fmt::format("Since {}, the last good day:", format_date(*why.good_day)));
    for (const auto& line : why.changes) print_line("- " + line);
    for (const auto& line : why.commands)
      print_line(fmt::format("  {}{}{}", why.environment, why.environment.empty() ? "" : " ", line));
  }
  print_line("");
  for (const auto& alert : alerts)
    print_line(fmt::format("{}  {}", plain(alert.value("logical_date", store::Document())),
                           plain(alert.value("message", store::Document()))));
  return 0;
}

Result<int> alert_acknowledge(Context& context, const AlertOptions& options) {
  return change(
      context, options, "acknowledge alert", alerting::Ring::kAcknowledged,
      [](AlertState& state, const alerting::PersonsAct& act) { return alerting::acknowledge(state, act); });
}

Result<int> alert_silence(Context& context, const AlertOptions& options) {
  const auto until = parse_date(options.until);
  if (!until) return usage_error(fmt::format("--until {}: it must be YYYY-MM-DD", options.until));
  return change(context, options, "silence alert", alerting::Ring::kNone,
                [&](AlertState& state, const alerting::PersonsAct& act) {
                  return alerting::silence(state, *until, act);
                });
}

Result<int> alert_resolve(Context& context, const AlertOptions& options) {
  return change(
      context, options, "resolve alert", alerting::Ring::kResolved,
      [](AlertState& state, const alerting::PersonsAct& act) { return alerting::resolve(state, act); });
}

// Past the outbox, so that the answer is this command's.
Result<int> alert_test(Context& context, const AlertOptions& options) {
  const auto channels = loop::channels_of(context.settings);
  MAEIL_ASSIGN(const auto names, alerting::names_of(channels));
  if (std::ranges::find(names, options.alert) == names.end()) {
    return usage_error(fmt::format(
        "the channel '{}' is not set: {}", options.alert,
        names.empty() ? "none is (docs/alerts.md)" : fmt::format("{} are", fmt::join(names, ", "))));
  }
  MAEIL_ASSIGN(const Days today, date_in_zone(now(), context.settings.time_zone));
  const AlertState state{.dataset = context.settings.dataset,
                         .model = registry::kClassifier,
                         .rule = "TEST",
                         .severity = "INFO",
                         .message = "This is a test of `maeil alert test`: nothing is wrong.",
                         .first_seen = today,
                         .last_seen = today,
                         .count = 1};
  const auto answer = alerting::send(channels, options.alert, {alerting::Ring::kOpened, state},
                                     std::chrono::milliseconds(10000));
  if (answer.kind != alerting::Answer::Kind::kDelivered)
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", options.alert, answer.text));
  if (!answer.left_out.empty())
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: delivered, but not to {}", options.alert, answer.left_out));
  print_line(fmt::format("{}: delivered", options.alert));
  return 0;
}

// Counts what a process that died has left, and sends; false where something failed.
Result<bool> notify_once(Context& context, std::vector<std::string>& said) {
  MAEIL_ASSIGN(store::Store & store, context.existing_store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  auto lines = loop::ring_alerts(store, context.settings, spec, std::chrono::minutes(5));
  if (!lines.empty()) keep_metrics_file(context);
  bool all = true;
  for (const auto& line : lines) {
    const bool failed = line.starts_with("warning: ");
    all = all && !failed;
    // What goes wrong all the time is no news.
    if (failed && std::ranges::find(said, line) != said.end()) continue;
    failed ? note_task_line(line) : print_line(line);
  }
  said = std::move(lines);
  return all;
}

Result<int> notify(Context& context, const AlertOptions& options) {
  std::vector<std::string> said;
  if (options.once) {
    MAEIL_ASSIGN(const bool all, notify_once(context, said));
    if (said.empty()) print_line("nothing is due");
    return all ? 0 : exit_code(ErrorCode::kUnavailable);
  }
  stop_on_signals();
  while (!stop_asked()) {
    // A store that is away comes back; settings that are wrong do not.
    if (const auto done = notify_once(context, said); !done) {
      if (exit_code(done.error().code) != 1) return tl::make_unexpected(done.error());
      note("warning: " + done.error().message, LogLevel::kWarning);
    }
    (void)std::fflush(stdout);  // whoever reads a pipe reads it now
    dag::sleep_unless_cancelled(std::chrono::seconds(15), &stop_asked());
  }
  return 0;
}

}  // namespace maeil::cli
