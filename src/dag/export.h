// The DAGs as JSON, for Airflow: docs/formats/dag_export.md describes every field.
#pragma once

#include <string>
#include <vector>

#include "dag/dag.h"

namespace maeil::dag {

inline constexpr int kExportVersion = 2;

// What the DAGs of one dataset go by.
struct ExportSettings {
  std::string dataset;
  std::string schedule_time = "00:00";  // SCHEDULE_TIME
  std::string time_zone = "UTC";        // TIMEZONE
  int64_t poke_interval = 300;          // SENSOR_POKE_INTERVAL, seconds
  int64_t sensor_timeout = 3600;        // SENSOR_TIMEOUT, seconds
  int64_t shards = 1;                   // SHARDS
};

struct ExportedDataset {
  ExportSettings settings;
  std::vector<DagSpec> dags;
};

// The same DAGs and settings give the same text. Errors: a wrong DAG, a wrong schedule_time.
Result<store::Document> export_dags(const std::vector<ExportedDataset>& datasets);

}  // namespace maeil::dag
