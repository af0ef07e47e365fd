// What a date left in the store, as documents: what `maeil report DATE` shows. loop/day_record.h reads it.
#pragma once

#include <string>
#include <vector>

#include "store/document.h"

namespace maeil::pages {

// Only what counts: not what was superseded when the date was done again. A document that is not there is
// null. Documents come from anybody: their fields are checked where they are used.
struct DayRecord {
  std::string date, dataset;
  // of task_instances, in the order of the day; shards only where they are not done
  std::vector<store::Document> tasks;
  store::Document raw_data, data_validations, processing_metadata;
  store::Document evaluated;                // of performance_metrics: the model in force
  store::Document model;                    // of model_metadata: that model
  store::Document verdict;                  // of evaluation_events
  store::Document challenger, predictions;  // of challenger_events, predictions
  // of performance_metrics, when labels came later
  std::vector<store::Document> matured;
  std::vector<store::Document> deployment_events, alerts, alert_states;
  std::vector<store::Document> acts;  // of audit_log: by the date's runs, about the date, and on that day
};

// The record of a task, by its name without the dataset's prefix of the DAG; null: it never ran.
const store::Document& task_of(const DayRecord& record, std::string_view task);

// All of it as one value.
store::Document to_document(const DayRecord& record);

}  // namespace maeil::pages
