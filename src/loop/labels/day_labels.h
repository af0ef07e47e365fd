// Labels that a day takes in by itself (LABELS), and the judgement of scores that are made when labels of
// their rows are known already.
#pragma once

#include "loop/day.h"

namespace maeil::loop {

// The file of LABELS for the date, every {date} of it replaced by YYYY-MM-DD; "": none is set.
std::string labels_file(const Settings& settings, Days date);

// Adds what the date's file of labels brings to the outcome, when it is there: they are known since the date,
// where the file does not say. What is wrong with it is the task's error (label_import.h).
Status take_day_labels(const Day& day, const dag::TaskContext& context, dag::TaskOutcome& out);

// Adds the judgement of `predictions`, which are about to be stored, when labels of the date were imported.
Status judge_new_scores(const Day& day, const dag::TaskContext& context, const store::Document& predictions,
                        dag::TaskOutcome& out);

}  // namespace maeil::loop
