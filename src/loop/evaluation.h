// Evaluating a model on labelled rows, and the document that says how it went.
#pragma once

#include <string>

#include "loop/prepared_day.h"
#include "metrics/classification.h"
#include "registry/model_file.h"

namespace maeil::loop {

// Field `metrics` of performance_metrics: accuracy, roc_auc, f1_score, ... f1_interval [low, high]. What is undefined is
// null, and `undefined_reason` says why.
store::Document metrics_document(const metrics::ClassificationMetrics& metrics, const metrics::Interval& f1_interval);

struct Evaluation {
  metrics::ClassificationMetrics metrics;
  store::Document document;  // metrics_document
};
Result<Evaluation> evaluate_scores(const Scores& scores, uint64_t seed);

// One shard's scores as a part (loop/parts.h), and those of all shards put together.
Result<dag::TaskOutcome> score_part(dag::TaskContext& context, const Day& day, const registry::ModelVersion& version, std::string_view split);
Result<Scores> merge_scores(dag::TaskContext& context, const registry::ModelVersion& version, const prep::Preparation& preparation, std::string_view split);

// Loads the version, prepares the day for it if need be, and evaluates it on one split; where the context merges shards, from their scores.
Result<Evaluation> evaluate_version(dag::TaskContext& context, const Day& day, const registry::ModelVersion& version, std::string_view split);

// "F1 0.8123 (0.78 to 0.85), AUC 0.981, 104 defaults in 1503 rows"
std::string describe(const metrics::ClassificationMetrics& metrics, const store::Document& document);

}  // namespace maeil::loop
