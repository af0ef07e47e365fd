// Takes the documents of `alerts` into `alert_states`: each counts once, whoever does it and however often.
//
// The alerts are the log, committed with what they are about. Counting one commits its key into it
// (`alert_key`) together with the state, so that a process that dies in between has done nothing, and the
// next one finds it. A store that has alerts and no states is one of before: what older dates said is
// history.
#pragma once

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
  std::string_view holder;  // how the lock names who counts
};

// Counts what is new, and resolves what went by for long enough, by the dates that were scored since. Returns
// what rings, in the order of the dates. Another process that counts meanwhile does it for this one: nothing
// is returned then.
Result<std::vector<Told>> count_alerts(store::Store& store, const Counting& what);

// All states, open ones first, then those seen last.
Result<std::vector<AlertState>> list_states(store::Store& store);

// By id, by its first digits or by rule. kNotFound and, where several match, kUsage name what there is.
Result<AlertState> find_state(store::Store& store, std::string_view id_or_rule);

// Commits a person's act, with the entry of audit_log that says so. kConflict: the state has changed since it
// was read.
Status save_state(store::Store& store, const AlertState& before, const AlertState& after,
                  store::Batch::Put entry);

}  // namespace maeil::alerting
