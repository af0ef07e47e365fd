// One dataset of a store that holds several: whoever works with this object sees and writes only what is the
// dataset's, under the names and ids that it would have alone.
//
// Every document and blob says `dataset` (a blob in its metadata, a row by its constants), rows' partitions
// and locks begin with the dataset's name. Documents without `dataset` (of the Python project, of a maeil
// that knew one dataset) are the built-in dataset's. Ids are made of DAGs' names, which differ (name_here).
// What the datasets of a store share: `version_names`.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace maeil::store {

// `below` holds all datasets, and outlives the view; `dataset`: a name that check_dataset_name takes.
std::unique_ptr<Store> dataset_view(Store& below, const std::string& dataset);

}  // namespace maeil::store
