// What the store has of a model version, for `maeil model document V` (pages/model_record.h). Reads
// documents, and no rows.
#pragma once

#include "pages/model_record.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::loop {

// All but the fields that are the dataset's (dataset, target, positive, description). What is damaged is left
// as it is. Errors of the store.
Result<pages::ModelRecord> read_model_record(store::Store& store, const registry::ModelVersion& version);

}  // namespace maeil::loop
