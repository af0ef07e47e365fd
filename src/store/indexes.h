// What is indexed, on every store: the fields that maeil's own finds filter and sort by. Data, read by both
// stores.
//
// An index serves equality on its first fields, then a range of the next one, then a sort by all the others
// in one direction. Changing the list changes a SQLite store's schema: raise kSchemaVersion (sqlite/schema.h)
// and build the new ones there, unless no version that was released writes the collection; a number is never
// used again. A MongoDB server makes what it lacks at a collection's next write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maeil::store {

struct Index {
  int number;  // names it in a SQLite store
  std::string collection;
  std::vector<std::string> fields;  // top-level ones
};

inline const std::vector<Index>& indexes() {
  static const std::vector<Index> all = {
      {1, "task_instances", {"logical_date"}},
      {2, "task_instances", {"run_id"}},
      {3, "task_logs", {"run_id", "timestamp"}},
      {4, "task_logs", {"logical_date", "timestamp"}},
      {5, "task_history", {"record_id"}},
      {6, "task_history", {"logical_date"}},
      {7, "dag_runs", {"start_date"}},
      {8, "dag_runs", {"state", "start_date"}},
      {10, "dag_runs", {"run_id"}},
      {11, "raw_data", {"logical_date"}},
      {12, "day_requests", {"logical_date", "number"}},
      {13, "evaluation_events", {"logical_date"}},
      {14, "evaluation_events", {"timestamp"}},
      {15, "alerts", {"logical_date"}},
      {16, "alerts", {"timestamp"}},
      {17, "performance_metrics", {"model_id", "timestamp"}},
      {18, "training_events", {"timestamp"}},
      {19, "deployment_events", {"timestamp"}},
      {20, "audit_log", {"timestamp"}},
      {21, "audit_log", {"act", "timestamp"}},
      {22, "model_metadata", {"model_version"}},
      {23, "version_names", {"taken_by"}},
      {24, "task_parts", {"timestamp"}},
      {25, "model_metadata", {"status", "model_name", "model_version"}},
      {26, "version_names", {"model_version"}},
      {27, "dag_runs", {"logical_date", "start_date"}},
      {28, "dag_runs", {"state", "logical_date", "start_date"}},
      {29, "alert_deliveries", {"status", "created"}},
  };
  return all;
}

// Those of one collection, in their order.
inline std::vector<const Index*> indexes_of(std::string_view collection) {
  std::vector<const Index*> found;
  for (const Index& index : indexes()) {
    if (index.collection == collection) found.push_back(&index);
  }
  return found;
}

}  // namespace maeil::store
