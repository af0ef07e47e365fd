// How a trouble stands: the state of all alerts with one key, as pure functions.
//
// Each occurrence is a document of `alerts`, which stays as it was written. What people act on is the state,
// one for each key (dataset, model, rule, segment): the same trouble of the next day counts up and does not
// ring again. A day is a logical date; no clock has a say.
//
//   open -> acknowledged | silenced -> resolved -> open (it happened again)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/document.h"

namespace maeil::alerting {

enum class Standing { kOpen, kAcknowledged, kSilenced, kResolved };
std::string_view to_string(Standing standing);  // "open", "acknowledged", "silenced", "resolved"

// ALERT_REPEAT_DAYS: it rings once more when it still happens so many days after it rang.
struct Patience {
  int64_t repeat_days = 7;
};

// Why it happened, as far as what was recorded says it (monitor/diagnosis.h).
struct Diagnosis {
  std::optional<Days> good_day;       // the last good day before it
  std::string cause;                  // the likely one, a sentence without a full stop; "": not known
  std::vector<std::string> changes;   // what is not as on the good day
  std::vector<std::string> commands;  // what helps, "command    # why"
  std::string environment;            // that commands need before them: "DATASET=leases", or ""
};
// {good_day, cause, changes, commands, environment}; and back: what is not as it was written counts as not
// told.
store::Document to_document(const Diagnosis& diagnosis);
Diagnosis diagnosis_from(const store::Document& document);

struct AlertState {
  std::string dataset, model, rule, segment;  // the key; segment "": of the whole
  Standing standing = Standing::kOpen;
  std::string severity, message, alert_id;  // of the last occurrence
  Diagnosis diagnosis;                      // of the last occurrence
  Days first_seen{}, last_seen{};           // since it was resolved last
  int64_t count = 0;                        // dates on which it happened, as those
  Days rung_on{};
  int64_t rings = 0;  // how often people were told of a change: the number of the last message
  std::optional<Days> silenced_until;  // the last day of the silence
  std::optional<Days> resolved_on;     // the date that showed it; of a person's word, last_seen
  std::string by, comment;             // of a person's last act; "": none, or it was the days'
};

// What people are told of a change. A notice is of something that is no trouble, and has no state.
enum class Ring { kNone, kOpened, kRepeated, kAcknowledged, kResolved, kNotice };
std::string_view to_string(Ring ring);  // "", "opened", "repeated", "acknowledged", "resolved", "notice"

struct Occurrence {
  Days date;
  std::string severity, message, alert_id;
  Diagnosis diagnosis = {};
};
// The words of the last one become the state's.
void take_words(AlertState& state, const Occurrence& last);

// It happened on a date. Of the same date again only the words are taken over; of a date before the last one
// (a backfill) it is counted and rings nothing. One that is acknowledged rings no more until it is resolved,
// one that is silenced when the silence is over. What is resolved opens again; what a person resolved only on
// a later date than last_seen.
Ring occur(AlertState& state, const Occurrence& what, const Patience& patience);

// It is over since a date, whatever it was; kNone when it was already.
Ring end(AlertState& state, Days date);

// What a person does. kUsage where it cannot be: what is resolved needs nobody, a silence does not end before
// last_seen.
struct PersonsAct {
  std::string by, comment;
};
Status acknowledge(AlertState& state, const PersonsAct& act);
Status silence(AlertState& state, Days until, const PersonsAct& act);
Status resolve(AlertState& state, const PersonsAct& act);

// 24 hex digits, of the key: the id of the state's document.
std::string state_id(const AlertState& state);
store::Document to_document(const AlertState& state);  // with _id
// kBadInput names the field that is damaged.
Result<AlertState> from_document(const store::Document& document);

}  // namespace maeil::alerting
