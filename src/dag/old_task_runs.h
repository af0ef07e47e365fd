// The runs made of tasks of which an older maeil left no document in dag_runs, only the tasks' records.
#pragma once

#include <vector>

#include "dag/dag.h"

namespace maeil::dag {

// Once in a store's life, before anything runs: documents for those runs. That it is done is a document of
// `migrations`. May be killed and repeated, and done by two at a time.
Status list_old_task_runs(store::Store& store, const std::vector<DagSpec>& dags);

// The documents that are missing, for whoever lists runs before that is done; afterwards none, without a look
// at the records.
Result<std::vector<store::Document>> old_task_runs(store::Store& store, const std::vector<DagSpec>& dags);

}  // namespace maeil::dag
