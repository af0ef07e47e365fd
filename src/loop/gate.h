// The gate: whether a model's metrics on the test split pass it, fail it, or cannot be judged.
//
// Undefined is not failed: a split with too few rows of a class says nothing about a model, and rows that a
// simulator made up say nothing about the business. Such a day retrains nothing, approves nothing and deploys
// nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/settings.h"
#include "loop/day.h"
#include "registry/status.h"

namespace maeil::loop {

// What GATE_RULE holds against F1_THRESHOLD: "F1", "lower bound of F1".
const char* compared_name(const Settings& settings);

struct LabelCounts {
  int64_t positives = 0, negatives = 0, unlabelled = 0;
  int64_t rows() const { return positives + negatives; }
};
// Of a document of evaluate_scores.
LabelCounts label_counts(const store::Document& metrics);

enum class Gate { kPassed, kFailed, kNotJudged };

struct Judgement {
  Gate gate = Gate::kNotJudged;
  std::optional<double> f1;
  std::string compared;  // what was held against the gate: "F1 0.8200", "F1 0.8200, at least 0.7200,"
  std::string reason;    // of kNotJudged, one sentence without a full stop
  // The same of kFailed where F1 passed, and the comparison with the champion is what failed (comparison.h).
  std::string failure;
  LabelCounts counts;
  // Of kNotJudged where no label is known: the day on which the first are due, and whether it is past. "":
  // the dataset says no delay_days, or that is not why.
  std::string labels_due;
  bool overdue = false;
};

// kNotJudged below MIN_POSITIVES or MIN_NEGATIVES labelled rows of a class, and where F1 is undefined; else
// F1 >= F1_THRESHOLD, or by GATE_RULE = lower_bound the lower end of its 95 % interval (f1_interval).
Judgement judge(const store::Document& metrics, const Settings& settings);

// The same of what evaluate_version recorded, its comparison with the champion included: rows of
// SOURCE_FALLBACK judge no model.
Judgement judge_evaluated(const store::Document& evaluated, const Settings& settings);

// "F1 0.7012 < the gate of 0.75", or the judgement's `failure`: why a version failed.
std::string failure_text(const Judgement& judgement, const Settings& settings);

// kFailed, naming what to do again, unless the date's raw data are those that were evaluated (or are there no
// more): a verdict about rows that were drawn again meanwhile would be about nothing.
Status check_evaluated(const dag::TaskContext& context, const store::Document& evaluated);

// "approved", "passed, proposed to a person (APPROVAL = manual)", "rejected", with why where F1 does not say
// it, "not judged: ...": of what would take the model's in force place.
std::string verdict_text(const Judgement& judgement, const Settings& settings);

// What a version's document keeps of a verdict.
struct VerdictNote {
  std::string text;
  store::Document metrics;
};

// Adds to `batch` what the verdict changes of the version's status (registry::status_after_verdict, by
// APPROVAL), and of an approval its entry of audit_log. Returns the status that it has then.
Result<std::string> change_after_verdict(const Day& day, const dag::TaskContext& context,
                                         const registry::ModelVersion& version, registry::Judged judged,
                                         const Judgement& judgement, const VerdictNote& note,
                                         store::Batch& batch);

// What a branch records of a judgement that says kNotJudged, for skip_evaluation: {reason, rows, positives,
// negatives}, and {labels_due, overdue} where labels come late.
store::Document not_judged_document(const Judgement& judgement);

}  // namespace maeil::loop
