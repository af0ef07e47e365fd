// Who did what: `audit_log`, one document for each act of a person or a schedule. Documents are only added:
// nothing changes or removes one, `maeil prune` least of all.
//
//   timestamp, logical_date (the day of the act, UTC), actor {os_user, host}, act, what, from, to, run_id,
//   version (of maeil), comment (where a person gave one)
// act is one of import, approve (by a person or by the gate), deploy, rollback, redo, settings; what names
// the thing (a model version, a date, a dataset).
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "store/store.h"

namespace maeil::registry {

inline constexpr const char* kAuditLog = "audit_log";

struct Act {
  std::string act;
  std::string what;
  store::Document from, to;  // anything; null where there is nothing to say
  std::string run_id;        // "manual" for a person's command
  std::string id = {};       // 24 hex digits, of an act that may be repeated: the same entry; "": a new one
  std::string comment = {};  // a person's; "": none
};

// The name of the user that this process runs as; its number when the system knows no name (a container).
std::string acting_user();

// The entry of an act, to be committed in the same batch as the act. Carries no task_key, so doing a task
// again takes none away.
store::Batch::Put audit_entry(const Act& act, Instant when);

}  // namespace maeil::registry
