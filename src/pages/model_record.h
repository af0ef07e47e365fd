// What the store has of a model version, as documents: what `maeil model document V` shows.
// loop/model_record.h reads it.
#pragma once

#include <string>
#include <vector>

#include "store/document.h"

namespace maeil::pages {

// Only what was not superseded. A document that is not there is null; their fields are checked where they are
// used. Lists are oldest first.
struct ModelRecord {
  std::string dataset;
  std::string target, positive;     // by the dataset's description as it is now
  std::string description;          // its file, for people
  store::Document version, parent;  // of model_metadata
  store::Document training_event, training_data;
  std::vector<store::Document> raw_data;     // of the dates whose rows it learnt from
  std::vector<store::Document> judgements;   // of performance_metrics
  std::vector<store::Document> verdicts;     // of evaluation_events
  std::vector<store::Document> children;     // of model_metadata: what was fine-tuned from it
  std::vector<store::Document> challengers;  // of challenger_events: itself, or against it
  std::vector<store::Document> predictions, deployment_events, alerts;
  std::vector<store::Document> acts;  // of audit_log, about it
  store::Document settings;           // of audit_log: the newest settings of the dataset's days
};

// All of it as one value.
store::Document to_document(const ModelRecord& record);

}  // namespace maeil::pages
