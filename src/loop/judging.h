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

namespace maeil::loop {

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
  std::string reason;  // of kNotJudged, one sentence without a full stop
  LabelCounts counts;
};

// kNotJudged below MIN_POSITIVES or MIN_NEGATIVES labelled rows of a class, and where F1 is undefined; else
// F1 >= F1_THRESHOLD.
Judgement judge(const store::Document& metrics, const Settings& settings);

// The same for this date's rows: those of SOURCE_FALLBACK judge no model.
Result<Judgement> judge_day(const dag::TaskContext& context, const store::Document& metrics,
                            const Settings& settings);

// What a branch records of a judgement that says kNotJudged, for skip_evaluation: {reason, rows, positives,
// negatives}.
store::Document not_judged_document(const Judgement& judgement);

}  // namespace maeil::loop
