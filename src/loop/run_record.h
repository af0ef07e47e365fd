// What a run's record says about the program that ran: enough to know, years later, with what a result was
// made.
//
//   program {maeil, instruction_set, settings {...}, dataset {name, sha256}, rows, scenario}
// in dag_runs and task_instances. The settings are those that can change a result or what is kept; where
// things lie (folders, the store, servers) and how fast they go does not belong to them, and secrets never
// do.
#pragma once

#include <string>
#include <vector>

#include "dag/execute.h"
#include "loop/day.h"

namespace maeil::loop {

// kBadInput, kIo: the dataset spec cannot be read any more.
Result<store::Document> program_record(const Day& day);

// Puts the record into the options of a run that is about to begin. When its settings differ from those of
// the last run, audit_log gets an entry with act "settings" and what changed; the first run's entry has all
// of them. Runs that begin together with the same settings write it once. Errors of the store.
Status describe_run(store::Store& store, const Day& day, dag::RunOptions& options);

}  // namespace maeil::loop
