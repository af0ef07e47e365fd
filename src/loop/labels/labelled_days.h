// Which days have labels, as a date knows them (label_history.h): what a model is judged on and learns from.
//
// A day is labelled when at least half of its rows have a label. A few labels do not make one: those that
// become known early are no fair sample (a default is known when it happens, its absence only at the end).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loop/day.h"
#include "loop/labels/label_history.h"

namespace maeil::loop {

struct LabelledDays {
  // Oldest first. Empty: the date itself, whose labels came with its rows, as processed_data has them; that
  // is so, too, where no day is labelled.
  std::vector<Days> dates;
  bool any = false;  // a day is labelled
};

// What the gate judges the date's model on: the date itself when it is labelled, else the newest JUDGE_DAYS
// labelled days before it, where labels may come late: the dataset says delay_days, JUDGE_DAYS is set, or
// labels were imported. (The same holds for learning on a date that is not labelled.)
Result<LabelledDays> days_to_judge(store::Store& store, const Day& day, Days date);

// What is learnt from: the newest RETRAIN_DAYS labelled days, the date itself included.
Result<LabelledDays> days_to_learn(store::Store& store, const Day& day, Days date);

// The labels that came with a date's rows, as preprocess_data counted them; nullopt: it did not, or was an
// older maeil's and nobody knows whether its rows were labelled.
Result<std::optional<LabelHistory::Counts>> counted_labels(store::Store& store, Days date);

// When labels are due where none are known yet.
struct LabelsDue {
  Days of, on;           // of the oldest day whose rows are stored
  bool overdue = false;  // `on` is before the date
};
// nullopt: the dataset says no delay_days.
Result<std::optional<LabelsDue>> labels_due(store::Store& store, const Day& day, Days date);

// Dates as a task's result has them, and back. kBadInput: damage.
store::Document date_texts(const std::vector<Days>& dates);
Result<std::vector<Days>> dates_of(const store::Document& result, const char* field);
// "2026-11-01" or "12 days, 2026-11-01 to 2026-11-14"
std::string describe_dates(const std::vector<Days>& dates);

// The days for which rows are stored, up to `date` (kEndOfTime: all), newest first.
inline const Days kEndOfTime = parse_date("9999-12-31").value();
Result<std::vector<Days>> stored_days(store::Store& store, Days date);

}  // namespace maeil::loop
