// Changes of a version's status: registered -> candidate -> approved | rejected -> deployed -> retired; a
// candidate is proposed to a person, and a version may be approved without having been one.
//
// A change is compare-and-set: its batch counts only if the version is still what it was when it was read, so
// a change that raced another one is kConflict and undoes nothing. Each is appended to the version's
// `status_history`:
//   {status, at, run_id or by, note, metrics, replaced}     those that are known; oldest first; `replaced`:
//   of "deployed", see deploy
// A version that was written without a history (by the Python project, by an older maeil) gets what it said
// then as the first entry, without `by`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::registry {

struct StatusChange {
  std::string status;
  std::string run_id;       // of the run that changes it, "manual" for a person's
  std::string note;         // becomes the version's `notes`; empty: those stay
  store::Document metrics;  // become the version's `metrics`; null: those stay
  std::string
      replaced;  // of "deployed": the id of the version that was deployed until then, "" when there was none
};

// Adds the change, and what it expects, to a batch. kUsage when the status may not follow the present one,
// and when the version is no classifier and would be approved or deployed.
Status change_status(const ModelVersion& version, const StatusChange& change, Instant when,
                     store::Batch& batch);

// Commits a batch that changes `as_read` by change_status, or puts documents under new ids about it. A commit
// whose answer was lost is looked for in the version's history, so a change that was made is never said to
// have failed. kConflict: another change came first; the sentence says which. An error that says "may or may
// not": nobody knows.
Status commit_change(store::Store& store, const store::Batch& batch, const ModelVersion& as_read);

// What changed meanwhile, after a commit of such a change was refused: a sentence with both statuses.
// nullopt: not this version.
Result<std::optional<std::string>> changed_meanwhile(store::Store& store, const ModelVersion& as_read);

// Who is judged: the model in force, or what would take its place: a retraining attempt, a challenger.
enum class Judged { kInForce, kAttempt };
// APPROVAL: whether a pass approves, or proposes to a person.
enum class Approval { kAuto, kManual };

// The status that a daily verdict gives a version; nullopt: it stays as it is. The model in force is approved
// when it passes for the first time; failing never changes it. An attempt is approved or rejected; where a
// person approves it becomes a candidate, and the model in force stays what it is. What was deployed once
// (deployed, retired) stays, whatever a later judgement of the same attempt says: the verdict is an event
// then. Without `passed` it could not be judged, which is no failure: an attempt that was only registered is
// rejected, since as such it might come into force; nothing else changes.
std::optional<std::string> status_after_verdict(const ModelVersion& version, Judged judged,
                                                std::optional<bool> passed,
                                                Approval approval = Approval::kAuto);

// Whether it was made or passed and no one, neither the gate nor a person, has approved it: it may not be
// deployed.
bool waits_for_approval(const ModelVersion& version);

// The version that the present deployment replaced, by its history; kNotFound when none did. The order is
// that in which the registry was changed: no clock has a say. Of a registry without histories, by the time
// stamps of deployment_events.
Result<ModelVersion> previous_deployment(store::Store& store);

}  // namespace maeil::registry
