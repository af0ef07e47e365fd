// Labels that a day takes in by itself (LABELS), and the judgement of scores that are made when labels of
// their rows are known already.
#pragma once

#include "loop/day.h"

namespace maeil::loop {

// The file of LABELS for the date, every {date} of it replaced by YYYY-MM-DD; "": none is set.
std::string labels_file(const Settings& settings, Days date);

// Takes in the date's file of labels, when it is there: they are known since the date, where the file does
// not say. A day is scored whatever the file is: what is wrong with it (it cannot be read, it still grows,
// another import goes on) is said, in an alert LABELS_NOT_TAKEN_IN of the outcome, and is no error. Imports
// are committed at once, each by itself; `label_files` of the task's result has those that were taken in.
// Looks twice, a second apart. Errors: the store cannot be read.
Status take_day_labels(const Day& day, const dag::TaskContext& context, dag::TaskOutcome& out);

// Adds the judgement of `predictions`, which are about to be stored, when labels of the date were imported,
// and the fence against those that are imported meanwhile.
Status judge_new_scores(const Day& day, const dag::TaskContext& context, const store::Document& predictions,
                        dag::TaskOutcome& out);

}  // namespace maeil::loop
