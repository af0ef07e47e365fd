// The rows of stored days as those that a first model learns from (learning_rows.h): the train split is
// learnt from, the fine split held out, and the test split, on which the model will be judged, left out.
#pragma once

#include <vector>

#include "loop/day.h"
#include "loop/learning_rows.h"

namespace maeil::loop {

// Of `dates`, with the labels that `known_on` knew of their rows (labelled_rows.h). About ROW_CAP rows are
// learnt from at most, and held out in proportion, drawn by a hash of their number. `store` and `day` must
// outlive it. kNotFound: no raw data of a date.
Result<LearningRows> stored_rows(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                 Days known_on);

}  // namespace maeil::loop
