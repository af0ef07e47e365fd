// What was recorded about the date of an alert and about the last good day before it, for the diagnosis
// (monitor/diagnosis.h).
#pragma once

#include "monitor/diagnosis.h"
#include "store/store.h"

namespace maeil::loop {

// Reads documents by their ids, and no rows. A good day is the newest earlier date with a verdict that
// approved a version. What is not there, or is damaged, is left out. Errors of the store.
Result<monitor::Evidence> evidence_of(store::Store& store, const store::Document& alert);

}  // namespace maeil::loop
