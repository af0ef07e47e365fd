// HEARTBEAT_URL: called after each date that was done to its end, so that a dead man's switch elsewhere rings
// when no day comes at all, which nothing here can.
#pragma once

#include <string>

#include "base/settings.h"
#include "store/store.h"

namespace maeil::loop {

// Calls HEARTBEAT_URL when every DAG of the date has ended with success, an alert of the gate included, and
// no newer date has a verdict: a date of the past that is made up for says nothing about last night. A second
// time after a failure; 10 s at most. "" when it answered, was not due or is not set, else "warning: ...".
std::string beat_after(store::Store& store, const Settings& settings, Days date);

// Of a date on which nothing is due: there is nothing to wait for.
std::string beat(const Settings& settings);

}  // namespace maeil::loop
