// What maeil tells a monitoring system: families of numbers with labels, as data.
//
// All are gauges: they say how things stand by what is recorded, and whoever scrapes them keeps their
// history. The families are one table (families.cc), the most important first; each is listed in
// docs/metrics.md. What is not known has no sample: an F1 that is undefined is not 0. No label holds an id,
// a path, a person or a value of the data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maeil::telemetry {

// In the order of the table.
enum class Metric {
  kBuild,
  kStoreSize,
  kLeftOut,
  kUnreadable,
  kDagLastSuccess,
  kDagLastDate,
  kDagRunState,
  kDagRunDuration,
  kNewestDate,
  kAlertsOpen,
  kAlertLastSeen,
  kDeliveries,
  kOldestDelivery,
  kVerdict,
  kVerdictTime,
  kRecentVerdicts,
  kThreshold,
  kAttempts,
  kModelInfo,
  kDeployed,
  kF1,
  kF1Low,
  kF1High,
  kRocAuc,
  kPrAuc,
  kCalibrationError,
  kJudgedRows,
  kJudgedTime,
  kRows,
  kQuarantined,
  kMeanProbability,
  kPositiveShare,
  kFindings,
  kUnknownValues,
  kLabelsDate,
  kLabelsDelay,
  kTaskState,
  kTaskDuration,
  kTaskTries,
  kFindingsByRule,
  kFeatureUnknown,
};

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Sample {
  Labels labels;
  double value = 0;
};

struct Family {
  std::string_view name, help;
  std::vector<std::string_view> labels;  // names of the labels of every sample, in their order
  std::vector<Sample> samples;
};

class Families {
 public:
  Families();  // all of the table, without samples

  // Of what is not known (nullopt), not finite, or there already under the same labels, nothing is added.
  // `values`: of the family's labels, in their order; text that is no UTF-8 is made so.
  void add(Metric metric, const std::vector<std::string>& values, std::optional<double> value);

  // A field that is there and is not what it should be: counted, and the first is said.
  void unreadable(std::string what);
  size_t unreadable_values() const { return unreadable_; }
  const std::string& first_unreadable() const { return first_unreadable_; }

  // Leaves the last samples of the least important families out until at most `most` are there, the two
  // about maeil's own output included; they are added here. The number left out. To be called once, last.
  size_t close(size_t most);

  const std::vector<Family>& all() const { return families_; }
  const Family& of(Metric metric) const { return families_[static_cast<size_t>(metric)]; }

 private:
  std::vector<Family> families_;
  size_t unreadable_ = 0;
  std::string first_unreadable_;
};

}  // namespace maeil::telemetry
