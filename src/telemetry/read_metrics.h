// The families of a store, by what is recorded in it: nothing here asks a clock, the system or the settings.
//
// A history of years is not read: newest first, by indexes and by ids, the newest kDates dates, kVersions
// versions and kRuns runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"
#include "telemetry/families.h"

namespace maeil::telemetry {

inline constexpr size_t kMostSeries = 2000;
inline constexpr int64_t kRuns = 300;      // of dag_runs
inline constexpr int kDates = 7;           // whose tasks are looked at, for the newest that has something
inline constexpr int64_t kVerdicts = 30;   // that are counted
inline constexpr int64_t kVersions = 5;    // the newest, beside what is deployed
inline constexpr size_t kFeatures = 20;    // those with most unknown values
inline constexpr size_t kRules = 20;       // of a contract, those with most findings
inline constexpr size_t kAlertTypes = 20;  // of a dataset
inline constexpr size_t kDatasets = 20;    // of a store

struct Scope {
  std::vector<std::string> datasets;  // that are known beside those of the newest runs, the meant one first
  std::optional<uint64_t> store_bytes;
};

// `whole`: a store of all its datasets. At most kMostSeries series; closed. Errors: those of the store. A
// value that is not as maeil writes it is left out and counted (Families::unreadable).
Result<Families> read_metrics(store::Store& whole, const Scope& scope);

}  // namespace maeil::telemetry
