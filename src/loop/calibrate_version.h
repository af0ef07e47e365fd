// `maeil model calibrate`: a version's calibration and threshold chosen anew, on labelled rows of a file.
#pragma once

#include <string>

#include "base/settings.h"
#include "loop/watcher.h"
#include "registry/versions.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

// Registers a version that is `version` but for its decision (model/decision.h), chosen on the labelled rows
// of the file; its document, which is returned, has the id of `version` as `calibrated_from`. The model
// itself stays, and so does what `version` knew of the prior shift of its training. By DECISION_THRESHOLD;
// where that is argmax the threshold is the calibrated 0.5, so that rows are decided as before, but for those
// that the calibrator makes equal to it.
// kBadInput: as evaluate_rows, and where the file has not both classes.
Result<store::Document> calibrate_version(store::Store& store, const Settings& settings,
                                          const table::DatasetSpec& spec,
                                          const registry::ModelVersion& version, const std::string& in,
                                          const Watcher& watcher);

}  // namespace maeil::loop
