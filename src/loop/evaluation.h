// Evaluating a model on labelled rows, and the document that says how it went.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loop/day.h"
#include "loop/prepared/read_rows.h"
#include "metrics/classification.h"
#include "model/model_file.h"

namespace maeil::loop {

// Field `metrics` of performance_metrics: accuracy, roc_auc, f1_score, ... f1_interval [low, high], and
// `measured_on`, which says on what rows ("test"). What is undefined is null, and `undefined_reason` says
// why; without a labelled row everything is. Decisions are by the scores' `threshold`, which is there too;
// `expected_calibration_error` and `reliability`, rows of {rows, mean_probability, observed_rate, low, high},
// are those of metrics/calibration.h. `unlabelled` counts rows without a label: they are left out.
// kBadInput, kInternal: as classification_metrics.
Result<store::Document> evaluate_scores(const Scores& scores, uint64_t seed, std::string_view measured_on);

// What is evaluated: a version, alone or against the one whose place it would take.
struct Evaluation {
  const registry::ModelVersion& version;
  std::string_view split;
  std::vector<Days> dates;  // empty: the date itself
  std::optional<registry::ModelVersion> champion = std::nullopt;
  bool must_be_better = false;  // than the champion (comparison.h)
};

// Loads the version, prepares the day for it if need be, scores one split, and gives `then` what a task
// records of it: {model_id, model_version, metrics, raw_data_id, fallback}, the last two of the document of
// raw_data whose rows were evaluated, so that nobody judges by the raw data of a later moment; `comparison`
// with the champion, where there is one. A task that is cut into shards does the same (run_in_shards.h):
// `then` is called by the merging step alone. `dates`: of these days instead, with the labels that the date
// knows of them (labels/labelled_days.h); then `judged_on` has them, in what is recorded and in the metrics.
Result<dag::TaskOutcome> evaluate_version(
    dag::TaskContext& context, const Day& day, const Evaluation& what,
    const std::function<Result<dag::TaskOutcome>(store::Document evaluated)>& then);

// A metric of such a document; nullopt where it is undefined.
std::optional<double> metric_of(const store::Document& metrics, std::string_view name);

// "0.8123" or "undefined"
std::string metric_text(const std::optional<double>& metric);

// "F1 0.8123 (0.780 to 0.850), AUC 0.9810, 104 positives in 1503 rows"
std::string describe(const store::Document& metrics);

}  // namespace maeil::loop
