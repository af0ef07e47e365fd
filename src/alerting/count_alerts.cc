#include "alerting/count_alerts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "store/field_rules.h"

namespace maeil::alerting {
namespace {

using store::Document;
using States = std::map<std::string, AlertState>;  // by id

const Document kUncounted = {{"alert_key", {{"$exists", false}}}, {"superseded_by", {{"$exists", false}}}};

Result<States> read_states(store::Store& store) {
  States out;
  MAEIL_ASSIGN(const auto documents, store.find(kStates, {}));
  for (const auto& document : documents) {
    MAEIL_ASSIGN(AlertState state, from_document(document));
    const std::string id = state_id(state);
    out.emplace(id, std::move(state));
  }
  return out;
}

// The batch counts only if the state is what it was; `before` null: there was none.
store::Batch change_of(const AlertState* before, const AlertState& after) {
  store::Batch batch;
  Document expected;  // null: there must be none
  if (before) {
    expected = to_document(*before);
    expected.erase("_id");
  }
  batch.expects.push_back({kStates, state_id(after), std::move(expected)});
  batch.puts.push_back({kStates, to_document(after)});
  return batch;
}

Result<Occurrence> occurrence_of(const Document& alert) {
  MAEIL_TRY(store::check_fields(kAlerts, alert,
                                {{"alert_type", store::FieldKind::kText, store::FieldRule::Missing::kRefused},
                                 {"severity", store::FieldKind::kText},
                                 {"message", store::FieldKind::kText},
                                 {"logical_date", store::FieldKind::kText}}));
  const auto date = parse_date(store::text_field(alert, "logical_date"));
  if (!date) return store::wrong_field(kAlerts, alert, "logical_date", "no date");
  return Occurrence{*date, store::text_field(alert, "severity"), store::text_field(alert, "message"),
                    store::id_text(alert.at("_id"))};
}

AlertState key_of(const Document& alert, const Counting& what) {
  return {.dataset = what.dataset,
          .model = alert.contains("model_id") ? what.model : "",
          .rule = store::text_field(alert, "alert_type"),
          .segment = store::text_field(alert, "segment")};
}

// Alerts of before there were states: but for those of the newest date they are history, and ring nothing.
Status leave_history(store::Store& store, const std::vector<Document>& alerts) {
  std::string newest;
  for (const auto& alert : alerts) newest = std::max(newest, store::text_field(alert, "logical_date"));
  store::Batch batch;
  for (const auto& alert : alerts) {
    if (store::text_field(alert, "logical_date") < newest)
      batch.sets.push_back({kAlerts, store::id_text(alert.at("_id")), {{"alert_key", "history"}}});
  }
  return batch.sets.empty() ? Status() : store.commit(batch);
}

// Dates that ended after `date`, as far as they count for whether a trouble is over.
Result<int64_t> dates_after(store::Store& store, Days date) {
  store::FindOptions scored;
  scored.filter = {{"logical_date", {{"$gt", format_date(date)}}}, {"superseded_by", {{"$exists", false}}}};
  scored.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto documents, store.find("predictions", scored));
  std::set<std::string> dates;
  for (const auto& document : documents) dates.insert(store::text_field(document, "logical_date"));
  return static_cast<int64_t>(dates.size());
}

Result<std::optional<Days>> newest_scored(store::Store& store) {
  store::FindOptions newest;
  newest.sort = {{"logical_date", -1}};
  newest.limit = 1;
  newest.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto document, store.find_one("predictions", newest));
  const auto date = parse_date(store::text_field(document, "logical_date"));
  return date ? std::optional(*date) : std::nullopt;
}

}  // namespace

Result<std::vector<Told>> count_alerts(store::Store& store, const Counting& what) {
  auto lock = store.lock("alerts", what.holder);
  if (!lock && lock.error().code == ErrorCode::kConflict) return std::vector<Told>();
  if (!lock) return tl::make_unexpected(lock.error());
  MAEIL_ASSIGN(States states, read_states(store));
  store::FindOptions options;
  options.filter = kUncounted;
  options.sort = {{"logical_date", 1}};
  MAEIL_ASSIGN(auto alerts, store.find(kAlerts, options));
  if (states.empty() && !alerts.empty()) {
    MAEIL_TRY(leave_history(store, alerts));
    MAEIL_ASSIGN(alerts, store.find(kAlerts, options));
  }
  std::vector<Told> out;
  for (const auto& alert : alerts) {
    MAEIL_ASSIGN(const Occurrence occurrence, occurrence_of(alert));
    AlertState state = key_of(alert, what);
    const std::string id = state_id(state);
    const auto found = states.find(id);
    if (found != states.end()) state = found->second;
    const Ring ring = occur(state, occurrence, what.patience);
    store::Batch batch = change_of(found != states.end() ? &found->second : nullptr, state);
    batch.sets.push_back({kAlerts, occurrence.alert_id, {{"alert_key", id}}});
    MAEIL_TRY(store.commit(batch));
    states[id] = state;
    if (ring != Ring::kNone) out.push_back({std::move(state), ring});
  }
  MAEIL_ASSIGN(const auto newest, newest_scored(store));
  for (auto& [id, state] : states) {
    if (!newest || state.standing == Standing::kResolved) continue;
    MAEIL_ASSIGN(const int64_t without, dates_after(store, state.last_seen));
    AlertState after = state;
    const Ring ring = pass(after, *newest, without, what.patience);
    if (ring == Ring::kNone) continue;
    MAEIL_TRY(store.commit(change_of(&state, after)));
    out.push_back({std::move(after), ring});
  }
  return out;
}

Result<std::vector<AlertState>> list_states(store::Store& store) {
  MAEIL_ASSIGN(const States states, read_states(store));
  std::vector<AlertState> out;
  for (const auto& [id, state] : states) out.push_back(state);
  std::ranges::sort(out, {}, [](const AlertState& state) {
    return std::tuple(state.standing == Standing::kResolved, -state.last_seen.time_since_epoch().count(),
                      state.rule, state.segment);
  });
  return out;
}

Result<AlertState> find_state(store::Store& store, std::string_view id_or_rule) {
  MAEIL_ASSIGN(const auto states, list_states(store));
  std::vector<AlertState> found;
  std::vector<std::string> names;
  for (const auto& state : states) {
    names.push_back(fmt::format("{} ({})", state.rule, state_id(state).substr(0, 8)));
    const bool by_id = id_or_rule.size() >= 4 && state_id(state).starts_with(id_or_rule);
    if (by_id || state.rule == id_or_rule) found.push_back(state);
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    return not_found(fmt::format(
        "there is no alert '{}': {}", id_or_rule,
        names.empty() ? "none was ever raised" : fmt::format("there are {}", fmt::join(names, ", "))));
  return usage_error(fmt::format(
      "'{}' is more than one alert: name it by the id that `maeil alert list` shows", id_or_rule));
}

Status save_state(store::Store& store, const AlertState& before, const AlertState& after,
                  store::Batch::Put entry) {
  store::Batch batch = change_of(&before, after);
  batch.puts.push_back(std::move(entry));
  const Status done = store.commit(batch);
  if (done || done.error().code != ErrorCode::kConflict) return done;
  return fail(ErrorCode::kConflict,
              fmt::format("{} has changed since this command read it: look at it with `maeil alert show {}`",
                          after.rule, state_id(after).substr(0, 8)));
}

}  // namespace maeil::alerting
