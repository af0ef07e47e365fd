// Why an alert rang: what has changed since the last good day, the likely cause in a sentence with its
// evidence, and the commands that help. Pure functions: what was recorded is read by whoever asks
// (loop/alerts/evidence.h).
//
// Two days of one column are compared by the share of the rows that would have to change for the one to look
// like the other (total variation distance): of missing values, of values that the model never saw and of a
// text's values the difference of the shares, of numbers that of two normal distributions whose means are so
// many standard deviations d apart, erf(d / sqrt(8)). A change is told from kLeastChange on, and where it is
// more than five standard errors of the days' rows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/alert_state.h"
#include "monitor/usual_days.h"
#include "table/contract_check.h"

namespace maeil::monitor {

inline constexpr double kLeastChange = 0.05;
inline constexpr size_t kToldChanges = 5;  // of columns, the largest; how many more there are is said

// What a date recorded, as far as it got.
struct DateFacts {
  Days date{};     // of the verdict
  Days rows_of{};  // whose rows were judged: with late labels an earlier date
  std::optional<DaySummary> rows;
  std::map<std::string, double> unseen;  // by feature: share of the rows whose value the model never saw
  struct Judged {
    std::string version;  // "": none
    std::optional<double> f1, roc_auc;
  };
  Judged judged;               // the model in force
  Judged passed = {};          // of a good day what passed: the same, or an attempt
  bool waits = false;          // what passed waited for a person's approval then
  std::optional<double> rate;  // of the target among the rows that were judged
  uint64_t labelled = 0;       // of those
};

struct AttemptFacts {
  std::optional<double> f1, roc_auc;
  std::string failure;        // why it failed although its F1 passed; "": its F1 did not
  std::string worst_segment;  // "region = north: F1 0.31 (0.52 before)", where segments were compared
};

struct Evidence {
  std::string rule;  // the alert's type
  DateFacts today;
  std::optional<DateFacts> good;         // the last good day before it
  std::vector<table::Finding> findings;  // of today's contract
  std::vector<AttemptFacts> attempts;
  double f1_threshold = 0;
  std::string deployed;  // the version
  std::string source;    // the file or query that today's rows came from; "": they were drawn
  std::string scenario;  // in which they were drawn
  std::string task;      // of a failed task, as `maeil logs` takes it
  std::string version;   // that an alert is about: it waits for approval, or was not deployed
};

// The cause is "" where nothing recorded says more than the alert itself.
alerting::Diagnosis diagnose(const Evidence& evidence);

}  // namespace maeil::monitor
