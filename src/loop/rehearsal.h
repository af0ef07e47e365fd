// SYNTHETIC_DAY: a team rehearses a day of its own book on drawn rows, beside the real one.
//
// A rehearsal is a dataset of its own, "<dataset>.rehearsal" (base/dataset_choice.h): its DAGs, registry,
// history, locks and folders are not the real one's, which it reads and never writes. Its rows come from
// DISTRIBUTION_MODEL, what `maeil fit` made of the book, with the day's date.
#pragma once

#include <string>

#include "base/error.h"
#include "base/settings.h"
#include "loop/source.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// Puts the model that is in force in the real dataset into force in the rehearsal, where it is not known
// there yet: what a rehearsal retrains stays in force in it until the real dataset has another one. Returns a
// sentence for people, "" when nothing was to be done. Idempotent; killed in the middle it is done again.
// kNotFound: there is no model. `settings`: the rehearsal's.
Result<std::string> take_model_in_force(store::Store& real, store::Store& rehearsal,
                                        const Settings& settings);

// Rows whose time is the day: all dates of a row are moved by as many days as its time is, so that what lies
// between them stays. As it is where the dataset has no time. kUsage: the source's rows have no such column.
Result<Source> on_the_day(Source source, const table::DatasetSpec& spec);

}  // namespace maeil::loop
