#include "alerting/alert_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "store/field_rules.h"

namespace maeil::alerting {
namespace {

using store::Document;

constexpr std::array kStandings = {"open", "acknowledged", "silenced", "resolved"};

Document date_or_null(const std::optional<Days>& date) {
  return date ? Document(format_date(*date)) : Document();
}

void begin(AlertState& state, Days date) {
  state.standing = Standing::kOpen;
  state.first_seen = state.last_seen = state.rung_on = date;
  state.count = 1;
  state.silenced_until = state.resolved_on = std::nullopt;
  state.by.clear();
  state.comment.clear();
}

Status refuse_resolved(const AlertState& state, const char* act) {
  if (state.standing != Standing::kResolved) return {};
  return usage_error(fmt::format("{} was resolved on {}: there is nothing to {}", state.rule,
                                 format_date(state.resolved_on.value_or(state.last_seen)), act));
}

void note(AlertState& state, const PersonsAct& act) {
  state.by = act.by;
  state.comment = act.comment;
}

}  // namespace

std::string_view to_string(Standing standing) { return kStandings[static_cast<size_t>(standing)]; }

std::string_view to_string(Ring ring) {
  constexpr std::array kRings = {"", "opened", "repeated", "acknowledged", "resolved", "notice"};
  return kRings[static_cast<size_t>(ring)];
}

Document to_document(const Diagnosis& diagnosis) {
  return {{"good_day", date_or_null(diagnosis.good_day)},
          {"cause", diagnosis.cause},
          {"changes", diagnosis.changes},
          {"commands", diagnosis.commands},
          {"environment", diagnosis.environment}};
}

Diagnosis diagnosis_from(const Document& document) {
  Diagnosis out;
  if (!document.is_object()) return out;
  if (const auto date = parse_date(store::text_field(document, "good_day"))) out.good_day = *date;
  out.cause = store::text_field(document, "cause");
  out.environment = store::text_field(document, "environment");
  for (const auto& [field, to] : {std::pair("changes", &out.changes), {"commands", &out.commands}}) {
    const auto lines = document.find(field);
    if (lines == document.end() || !lines->is_array()) continue;
    for (const auto& line : *lines) {
      if (line.is_string()) to->push_back(line.get<std::string>());
    }
  }
  return out;
}

void take_words(AlertState& state, const Occurrence& last) {
  state.severity = last.severity;
  state.message = last.message;
  state.alert_id = last.alert_id;
  state.diagnosis = last.diagnosis;
}

Ring occur(AlertState& state, const Occurrence& what, const Patience& patience) {
  const bool is_new = state.count == 0, was_resolved = state.standing == Standing::kResolved;
  // A person has said so, and knew of this date.
  if (was_resolved && !state.by.empty() && what.date <= state.last_seen) return Ring::kNone;
  if (is_new || what.date >= state.last_seen) take_words(state, what);
  if (is_new || was_resolved) {
    begin(state, what.date);
    return Ring::kOpened;
  }
  if (what.date == state.last_seen) return Ring::kNone;
  ++state.count;
  if (what.date < state.last_seen) {
    state.first_seen = std::min(state.first_seen, what.date);
    return Ring::kNone;
  }
  state.last_seen = what.date;
  if (state.standing == Standing::kAcknowledged) return Ring::kNone;
  const bool silence_ended = state.standing == Standing::kSilenced && what.date > *state.silenced_until;
  if (state.standing == Standing::kSilenced && !silence_ended) return Ring::kNone;
  if (silence_ended) {
    state.standing = Standing::kOpen;
    state.silenced_until = std::nullopt;
  }
  if (!silence_ended && (what.date - state.rung_on).count() < patience.repeat_days) return Ring::kNone;
  state.rung_on = what.date;
  return Ring::kRepeated;
}

Ring end(AlertState& state, Days date) {
  if (state.standing == Standing::kResolved) return Ring::kNone;
  state.standing = Standing::kResolved;
  state.resolved_on = date;
  state.silenced_until = std::nullopt;
  note(state, {});
  return Ring::kResolved;
}

Status acknowledge(AlertState& state, const PersonsAct& act) {
  MAEIL_TRY(refuse_resolved(state, "acknowledge"));
  state.standing = Standing::kAcknowledged;
  state.silenced_until = std::nullopt;
  note(state, act);
  return {};
}

Status silence(AlertState& state, Days until, const PersonsAct& act) {
  MAEIL_TRY(refuse_resolved(state, "silence"));
  if (until < state.last_seen)
    return usage_error(fmt::format("a silence until {} is over already: {} was seen on {}",
                                   format_date(until), state.rule, format_date(state.last_seen)));
  state.standing = Standing::kSilenced;
  state.silenced_until = until;
  note(state, act);
  return {};
}

Status resolve(AlertState& state, const PersonsAct& act) {
  MAEIL_TRY(refuse_resolved(state, "resolve"));
  end(state, state.last_seen);
  note(state, act);
  return {};
}

std::string state_id(const AlertState& state) {
  // Lengths, so that no two keys read alike.
  std::string key;
  for (const auto* part : {&state.dataset, &state.model, &state.rule, &state.segment})
    key += fmt::format("{}:{}/", part->size(), *part);
  return sha256_hex(key).substr(0, 24);
}

Document to_document(const AlertState& state) {
  return {{"_id", store::id_value(state_id(state))},
          {"dataset", state.dataset},
          {"model_name", state.model},
          {"rule", state.rule},
          {"segment", state.segment},
          {"state", to_string(state.standing)},
          {"severity", state.severity},
          {"message", state.message},
          {"alert_id", state.alert_id},
          {"diagnosis", to_document(state.diagnosis)},
          {"first_seen", format_date(state.first_seen)},
          {"last_seen", format_date(state.last_seen)},
          {"count", state.count},
          {"rung_on", format_date(state.rung_on)},
          {"rings", state.rings},
          {"silenced_until", date_or_null(state.silenced_until)},
          {"resolved_on", date_or_null(state.resolved_on)},
          {"by", state.by.empty() ? Document() : Document(state.by)},
          {"comment", state.comment.empty() ? Document() : Document(state.comment)}};
}

Result<AlertState> from_document(const Document& document) {
  const auto damaged = [&](const std::string& field) {
    return bad_input(fmt::format("alert_states: document {}: field '{}' is damaged",
                                 document.contains("_id") ? store::id_text(document.at("_id")) : "?", field));
  };
  AlertState out;
  for (const auto& [field, to] : {std::pair("dataset", &out.dataset),
                                  {"model_name", &out.model},
                                  {"rule", &out.rule},
                                  {"segment", &out.segment},
                                  {"severity", &out.severity},
                                  {"message", &out.message},
                                  {"alert_id", &out.alert_id},
                                  {"by", &out.by},
                                  {"comment", &out.comment}})
    *to = store::text_field(document, field);
  out.diagnosis = diagnosis_from(document.value("diagnosis", Document()));
  const auto standing = std::ranges::find(kStandings, store::text_field(document, "state"));
  if (standing == kStandings.end()) return damaged("state");
  out.standing = static_cast<Standing>(standing - kStandings.begin());
  const auto count = document.find("count");
  if (count == document.end() || !count->is_number_integer() || count->get<int64_t>() < 1)
    return damaged("count");
  out.count = count->get<int64_t>();
  const Document rings = document.value("rings", Document());
  if (!rings.is_number_integer() || rings.get<int64_t>() < 0) return damaged("rings");
  out.rings = rings.get<int64_t>();
  for (const auto& [field, to] :
       {std::pair("first_seen", &out.first_seen), {"last_seen", &out.last_seen}, {"rung_on", &out.rung_on}}) {
    const auto date = parse_date(store::text_field(document, field));
    if (!date) return damaged(field);
    *to = *date;
  }
  for (const auto& [field, to] :
       {std::pair("silenced_until", &out.silenced_until), {"resolved_on", &out.resolved_on}}) {
    const auto value = document.find(field);
    if (value == document.end() || value->is_null()) continue;
    const auto date = parse_date(store::text_field(document, field));
    if (!date) return damaged(field);
    *to = *date;
  }
  if (out.standing == Standing::kSilenced && !out.silenced_until) return damaged("silenced_until");
  if (out.standing == Standing::kResolved && !out.resolved_on) return damaged("resolved_on");
  return out;
}

}  // namespace maeil::alerting
