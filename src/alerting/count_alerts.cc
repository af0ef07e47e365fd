#include "alerting/count_alerts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include "alerting/deliveries.h"
#include "base/hash.h"
#include "store/certain_commit.h"
#include "store/field_rules.h"

namespace maeil::alerting {
namespace {

using store::Document;
using States = std::map<std::string, AlertState>;  // by id

const Document kUncounted = {{"alert_key", {{"$exists", false}}}, {"superseded_by", {{"$exists", false}}}};

// What is damaged is left out, and said in `warnings`.
Result<States> read_states(store::Store& store, std::vector<std::string>& warnings) {
  States out;
  MAEIL_ASSIGN(const auto documents, store.find(kStates, {}));
  for (const auto& document : documents) {
    auto state = from_document(document);
    if (state)
      out.emplace(store::id_text(document.at("_id")), std::move(*state));
    else
      warnings.push_back(state.error().message);
  }
  return out;
}

// The batch counts only if the state is what it was; `before` null: there was none. By the fields that every
// maeil has written, and that every change of a state changes one of.
store::Batch change_of(const AlertState* before, const AlertState& after) {
  store::Batch batch;
  Document expected;  // null: there must be none
  if (before) {
    const Document all = to_document(*before);
    for (const char* field : {"state", "count", "rings", "first_seen", "last_seen", "rung_on",
                              "silenced_until", "resolved_on", "alert_id", "comment"})
      expected[field] = all.at(field);
  }
  batch.expects.push_back({kStates, state_id(after), std::move(expected)});
  batch.puts.push_back({kStates, to_document(after)});
  return batch;
}

// What the channels are told of a ring, which the state counts.
std::vector<store::Batch::Put> deliveries_to(AlertState& state, Ring ring,
                                             const std::vector<std::string>& channels, Instant when) {
  std::vector<store::Batch::Put> out;
  if (ring == Ring::kNone) return out;
  ++state.rings;
  for (const auto& channel : channels)
    out.push_back({kDeliveries, new_delivery({ring, state}, state.rings, channel, when)});
  return out;
}

Result<std::vector<store::Batch::Put>> deliveries_of(store::Store& store, AlertState& state, Ring ring,
                                                     const Counting& what) {
  std::vector<std::string> channels;
  if (ring != Ring::kNone && what.channels) {
    MAEIL_ASSIGN(channels, what.channels(state.severity));
  }
  MAEIL_ASSIGN(const Instant when, store.time());
  return deliveries_to(state, ring, channels, when);
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
                    store::id_text(alert.at("_id")), diagnosis_from(alert.value("diagnosis", Document()))};
}

AlertState key_of(const Document& alert, const Counting& what) {
  return {.dataset = what.dataset,
          .model = alert.contains("model_id") ? what.model : "",
          .rule = store::text_field(alert, "alert_type"),
          .segment = store::text_field(alert, "segment")};
}

// The first counting of a store: alerts of dates before the newest are history and ring nothing. Says so in a
// document of its own, so that it happens once, whatever else goes wrong.
Status leave_history(store::Store& store, const Counting& what) {
  constexpr const char* kMark = "alert_counting";
  const std::string id = sha256_hex(fmt::format("{}/{}", kMark, what.dataset)).substr(0, 24);
  MAEIL_ASSIGN(const bool begun, store::has_document(store, kMark, id));
  if (begun) return {};
  store::Batch batch;
  batch.expects.push_back({kMark, id, Document()});
  if (what.newest) {
    store::FindOptions older;
    older.filter = kUncounted;
    older.filter["logical_date"] = {{"$lt", format_date(*what.newest)}};
    older.projection = {"logical_date"};
    MAEIL_ASSIGN(const auto alerts, store.find(kAlerts, older));
    for (const auto& alert : alerts)
      batch.sets.push_back({kAlerts, store::id_text(alert.at("_id")), {{"alert_key", "history"}}});
  }
  const bool has_history = !batch.sets.empty();  // else it is the same whenever the counting began
  batch.puts.push_back(
      {kMark,
       {{"_id", store::id_value(id)},
        {"history_before", has_history ? Document(format_date(*what.newest)) : Document()}}});
  return store.commit(batch);
}

// Takes over on which dates it happened, and the words of the last one, as the alerts say now; `one`: an
// alert that is about to be counted. False where none of them stands any more.
Result<bool> recount(store::Store& store, AlertState& state, const Occurrence* one) {
  store::FindOptions standing;
  standing.filter = {{"alert_key", state_id(state)},
                     {"logical_date", {{"$gte", format_date(state.first_seen)}}},
                     {"superseded_by", {{"$exists", false}}}};
  standing.sort = {{"logical_date", 1}};
  MAEIL_ASSIGN(const auto alerts, store.find(kAlerts, standing));
  std::map<Days, Occurrence> dates;
  for (const auto& alert : alerts) {
    MAEIL_ASSIGN(Occurrence occurrence, occurrence_of(alert));
    dates[occurrence.date] = std::move(occurrence);
  }
  if (one) dates[one->date] = *one;
  if (dates.empty()) return false;
  const Occurrence& last = dates.rbegin()->second;
  state.first_seen = dates.begin()->first;
  state.last_seen = last.date;
  state.count = static_cast<int64_t>(dates.size());
  take_words(state, last);
  return true;
}

// What is counted under the lock, with what it says on the way.
struct Count {
  store::Store& store;
  const Counting& what;
  States states;
  Counted out;

  // Commits a state as it is now, its ring, and the alert that it counts.
  Status commit(const AlertState* before, AlertState after, Ring ring, const Occurrence* counted) {
    MAEIL_ASSIGN(const auto deliveries, deliveries_of(store, after, ring, what));
    store::Batch batch = change_of(before, after);
    batch.puts.insert(batch.puts.end(), deliveries.begin(), deliveries.end());
    if (counted)
      batch.sets.push_back(
          {kAlerts,
           counted->alert_id,
           {{"alert_key", state_id(after)}, {"diagnosis", to_document(counted->diagnosis)}}});
    MAEIL_TRY(store.commit(batch));
    states[state_id(after)] = after;
    if (ring != Ring::kNone) out.told.push_back({std::move(after), ring});
    return {};
  }

  Status count(const Document& alert) {
    MAEIL_ASSIGN(Occurrence occurrence, occurrence_of(alert));
    if (what.diagnose) {
      auto diagnosis = what.diagnose(alert);
      if (diagnosis)
        occurrence.diagnosis = std::move(*diagnosis);
      else  // what rings is worth more than why
        out.warnings.push_back("why it happened is not known: " + diagnosis.error().message);
    }
    AlertState state = key_of(alert, what);
    const auto found = states.find(state_id(state));
    const std::optional<AlertState> before =
        found == states.end() ? std::nullopt : std::optional(found->second);
    if (before) state = *before;
    Ring ring = occur(state, occurrence, what.patience);
    MAEIL_TRY(recount(store, state, &occurrence));
    if (ring == Ring::kOpened) {
      // Of a backfilled date, when what came after it has shown already that it was over.
      MAEIL_ASSIGN(const bool over, what.is_over(state, true));
      if (over) {
        end(state, what.newest.value_or(state.last_seen));
        ring = Ring::kNone;
      }
    }
    return commit(before ? &*before : nullptr, std::move(state), ring, &occurrence);
  }

  Status look_again(const AlertState& before) {
    AlertState after = before;
    MAEIL_ASSIGN(const bool stands, recount(store, after, nullptr));
    MAEIL_ASSIGN(const bool over, stands ? what.is_over(after, false) : Result<bool>(true));
    const Ring ring = over ? end(after, what.newest.value_or(after.last_seen)) : Ring::kNone;
    if (ring == Ring::kNone && to_document(after) == to_document(before)) return {};
    return commit(&before, std::move(after), ring, nullptr);
  }
};

}  // namespace

Result<Counted> count_alerts(store::Store& store, const Counting& what) {
  // Who counts now may have read before the alert of this process was there: it is waited for a little.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  auto lock = store.lock("alerts", what.holder);
  while (!lock && lock.error().code == ErrorCode::kConflict && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    lock = store.lock("alerts", what.holder);
  }
  if (!lock && lock.error().code == ErrorCode::kConflict) return Counted();
  if (!lock) return tl::make_unexpected(lock.error());
  Count count{store, what, {}, {}};
  MAEIL_ASSIGN(count.states, read_states(store, count.out.warnings));
  MAEIL_TRY(leave_history(store, what));
  store::FindOptions options;
  options.filter = kUncounted;
  options.sort = {{"logical_date", 1}};
  MAEIL_ASSIGN(const auto alerts, store.find(kAlerts, options));
  const auto warn = [&](const Status& done) {
    if (!done) count.out.warnings.push_back(done.error().message);
  };
  for (const auto& alert : alerts) warn(count.count(alert));
  const States as_counted = count.states;
  for (const auto& [id, state] : as_counted) {
    if (state.standing != Standing::kResolved) warn(count.look_again(state));
  }
  return std::move(count.out);
}

Result<std::vector<AlertState>> list_states(store::Store& store) {
  std::vector<std::string> damaged;
  MAEIL_ASSIGN(const States states, read_states(store, damaged));
  if (!damaged.empty()) return bad_input(damaged.front());
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

Status save_state(store::Store& store, const AlertState& before, AlertState after, Ring ring,
                  const std::vector<std::string>& channels, store::Batch::Put entry) {
  MAEIL_ASSIGN(const Instant when, store.time());
  const auto deliveries = deliveries_to(after, ring, channels, when);
  store::Batch batch = change_of(&before, after);
  batch.puts.push_back(std::move(entry));
  batch.puts.insert(batch.puts.end(), deliveries.begin(), deliveries.end());
  const Status done = store.commit(batch);
  if (done || done.error().code != ErrorCode::kConflict) return done;
  return fail(ErrorCode::kConflict,
              fmt::format("{} has changed since this command read it: look at it with `maeil alert show {}`",
                          after.rule, state_id(after).substr(0, 8)));
}

}  // namespace maeil::alerting
