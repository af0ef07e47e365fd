// Doing again what was finished: the records of tasks go back to "none", and what they said is kept in
// `task_history`.
//
// task_history  one document per record that was taken back or done again: the record as it was, under an id
//               of its own, and `record_id`, the record's. Written once, never changed.
// Nothing here touches what a task wrote: a task that runs again after it was finished adds (execute.cc).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dag/dag.h"
#include "dag/task_record.h"

namespace maeil::dag {

inline constexpr const char* kTaskHistory = "task_history";

// Adds to `batch` the copy of a record as it is in the store. Nothing for one that says nothing (never
// finished).
void keep_in_history(const store::Document& record, store::Batch& batch);

// The same, and the record's way back to "none". What it recorded as its result stays, for the task to read
// when it runs again, but counts no more: whoever wants a result asks for success.
void take_back(const store::Document& record, std::string_view message, store::Batch& batch);

// The documents of all records of one DAG and date.
Result<std::vector<store::Document>> record_documents(store::Store& store, Days logical_date,
                                                      std::string_view dag_id);

// "evaluate_model" of the record of a shard, "evaluate_model[2/7]", too.
std::string_view whole_task_id(std::string_view record_task_id);

// For each document that a task writes after it was finished `completions` times before: `supersedes`, the id
// of the one that it wrote in its place before, which gets `superseded_by`. What has no predecessor (a first
// alert) is left as it is, and so is what the task itself linked and a predecessor that something else has
// superseded.
Status link_to_earlier(store::Store& store, const TaskName& name, int completions, store::Batch& batch);

}  // namespace maeil::dag
