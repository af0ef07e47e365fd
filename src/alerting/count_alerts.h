// Takes the documents of `alerts` into `alert_states`: each counts once, whoever does it and however often.
//
// The alerts are the log, committed with what they are about. Counting one commits its key into it
// (`alert_key`), and why it happened (`diagnosis`), together with the state and what the channels are to be
// told (deliveries.h), so that a process that dies in between has done nothing, and the next one finds it.
// What a date said and took back when it was done again (`superseded_by`) counts no more. A store that has
// alerts and no states is one of before: what dates before its newest said is history.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alert_state.h"
#include "store/store.h"

namespace maeil::alerting {

inline constexpr const char* kAlerts = "alerts";
inline constexpr const char* kStates = "alert_states";

struct Told {
  AlertState state;
  Ring ring;
};

struct Counting {
  std::string dataset;
  std::string model;  // the name in the key of an alert that is about a model
  Patience patience;
  std::optional<Days> newest;  // the newest date that has a verdict
  std::string_view holder;     // how the lock names who counts
  // Whether a trouble that is not resolved is over by what was recorded since, which its rule knows. `opens`:
  // it is about to ring, of a backfilled date perhaps.
  std::function<Result<bool>(const AlertState& state, bool opens)> is_over;
  // Why it happened, recorded with the alert (`diagnosis`) and told with it; empty: nothing is said.
  std::function<Result<Diagnosis>(const store::Document& alert)> diagnose = {};
  // Who is told of an alert of a severity (channels.h); empty: nobody.
  std::function<Result<std::vector<std::string>>(std::string_view severity)> channels = {};
};

struct Counted {
  std::vector<Told> told;             // what rings, in the order of the dates
  std::vector<std::string> warnings;  // what could not be counted, a sentence each: it is tried again
};

// Counts what is new and ends what is over. What is damaged is a warning and holds up nothing else. Another
// process that counts meanwhile does it for this one: nothing is returned then.
Result<Counted> count_alerts(store::Store& store, const Counting& what);

// All states, open ones first, then those seen last.
Result<std::vector<AlertState>> list_states(store::Store& store);

// By id, by its first digits or by rule. kNotFound and, where several match, kUsage name what there is.
Result<AlertState> find_state(store::Store& store, std::string_view id_or_rule);

// Commits a person's act, with the entry of audit_log that says so and, where `ring` is not kNone, what the
// channels are told of it. kConflict: the state has changed since it was read.
Status save_state(store::Store& store, const AlertState& before, AlertState after, Ring ring,
                  const std::vector<std::string>& channels, store::Batch::Put entry);

}  // namespace maeil::alerting
