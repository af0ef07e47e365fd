// What is known of a day's labels, for people (`maeil labels show`).
#pragma once

#include "base/settings.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// {logical_date, rows, set_aside (by the contract, and no more of the rows), labelled, due (null: the dataset
// says no delay), overdue, imports [{timestamp, filename, observed_from, observed_to, added, changed}],
// matured [documents of performance_metrics, oldest first]}. Overdue: less than half of the rows have a
// label, and `today` is after the day on which they are due. kNotFound: no rows are stored for the date;
// kBadInput: damage.
Result<store::Document> label_status(store::Store& store, const Settings& settings,
                                     const table::DatasetSpec& spec, Days date, Days today);

}  // namespace maeil::loop
