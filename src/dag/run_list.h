// The runs of dag_runs as people list them, each with the state that is true now.
//
// A document says "running" until somebody wrote an end; whoever lists it asks whether that is true: the
// tasks' records say it of a run made of tasks, the runner's lock of a run of the built-in runner. Listing
// writes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/dag.h"

namespace maeil::dag {

struct RunQuery {
  std::string state = {};                  // running, success, failed, cancelled; empty: any
  std::optional<Days> from = {}, to = {};  // logical dates, both inclusive
  int64_t limit = 0;                       // 0: all
};

struct RunList {
  // Newest start first (with `from` or `to`: newest logical date first).
  std::vector<store::Document> runs;
  bool more = false;  // the limit has cut
};

// By the indexes of dag_runs on start_date or (logical_date, start_date), with the state before them where
// one is asked for; besides the runs that are listed only what still says running is looked at. Of a store
// that no maeil with old_task_runs.h has written all records are read.
Result<RunList> list_runs(store::Store& store, const std::vector<DagSpec>& dags, const RunQuery& query);

// Whether a run that is named by its id, or by its logical date, may still say something.
Result<bool> is_going_on(store::Store& store, const std::vector<DagSpec>& dags, const std::string& field,
                         const std::string& value);

}  // namespace maeil::dag
