#include "telemetry/families.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dag/task_record.h"

namespace maeil::telemetry {
namespace {

constexpr size_t kLongestLabel = 200;  // bytes: names of columns may be anything

// In the order of Metric.
const std::vector<Family>& described() {
  static const std::vector<Family> table = {
      {"maeil_build_info", "maeil's version; always 1", {"version"}, {}},
      {"maeil_store_size_bytes", "Size of the embedded store, with its -wal", {}, {}},
      {"maeil_metrics_left_out", "Series that were left out so that there are not too many", {}, {}},
      {"maeil_metrics_unreadable_values", "Recorded values that are not as maeil writes them", {}, {}},
      {"maeil_dag_last_success_timestamp_seconds",
       "When a run of the DAG last ended with success",
       {"dataset", "dag"},
       {}},
      {"maeil_dag_last_success_date_timestamp_seconds",
       "The logical date (its midnight, UTC) of that run",
       {"dataset", "dag"},
       {}},
      {"maeil_dag_run_state", "The state of the DAG's newest run; always 1", {"dataset", "dag", "state"}, {}},
      {"maeil_dag_run_duration_seconds",
       "How long the DAG's newest run took that has ended",
       {"dataset", "dag"},
       {}},
      {"maeil_newest_date_timestamp_seconds",
       "The newest logical date that has a task (its midnight, UTC)",
       {"dataset"},
       {}},
      {"maeil_alerts_open", "Alerts that are not resolved", {"dataset", "severity"}, {}},
      {"maeil_alert_last_seen_timestamp_seconds",
       "The last logical date (its midnight, UTC) of an alert that is not resolved",
       {"dataset", "alert_type", "severity"},
       {}},
      {"maeil_alert_deliveries",
       "Messages that wait for a channel (pending), and that never reached it (failed)",
       {"dataset", "channel", "status"},
       {}},
      {"maeil_alert_oldest_pending_timestamp_seconds",
       "When the oldest message that waits for a channel was made",
       {"dataset", "channel"},
       {}},
      {"maeil_gate_verdict",
       "The verdict of the newest date that has one; always 1",
       {"dataset", "verdict"},
       {}},
      {"maeil_gate_verdict_timestamp_seconds", "When that verdict was given", {"dataset"}, {}},
      {"maeil_gate_recent_verdicts",
       "How many of the newest 30 verdicts were which",
       {"dataset", "verdict"},
       {}},
      {"maeil_gate_f1_threshold_ratio", "What F1 was held against last", {"dataset"}, {}},
      {"maeil_gate_retraining_attempts",
       "Retraining attempts of the newest date that was judged",
       {"dataset", "outcome"},
       {}},
      {"maeil_model_info",
       "The newest versions of a model, and what is deployed; always 1",
       {"dataset", "version", "family", "status"},
       {}},
      {"maeil_model_deployed_timestamp_seconds",
       "When a version was deployed last, or confirmed by a day",
       {"dataset", "version"},
       {}},
      {"maeil_model_f1_ratio", "F1 of a version", {"dataset", "version", "split"}, {}},
      {"maeil_model_f1_lower_ratio",
       "Lower end of the 95 % interval of F1",
       {"dataset", "version", "split"},
       {}},
      {"maeil_model_f1_upper_ratio",
       "Upper end of the 95 % interval of F1",
       {"dataset", "version", "split"},
       {}},
      {"maeil_model_roc_auc_ratio", "Area under the ROC curve", {"dataset", "version", "split"}, {}},
      {"maeil_model_pr_auc_ratio",
       "Area under the precision-recall curve",
       {"dataset", "version", "split"},
       {}},
      {"maeil_model_calibration_error_ratio",
       "Expected calibration error",
       {"dataset", "version", "split"},
       {}},
      {"maeil_model_judged_rows", "Rows that these were measured on", {"dataset", "version", "split"}, {}},
      {"maeil_model_judged_timestamp_seconds",
       "When these were measured",
       {"dataset", "version", "split"},
       {}},
      {"maeil_day_rows", "Rows of the newest date that has them", {"dataset", "stage"}, {}},
      {"maeil_day_quarantined_rows", "Rows of that date that were set aside", {"dataset", "stage"}, {}},
      {"maeil_scores_mean_probability_ratio",
       "Mean probability of the newest date's scores",
       {"dataset"},
       {}},
      {"maeil_scores_positive_ratio",
       "Share of the newest date's scores that were decided 1",
       {"dataset"},
       {}},
      {"maeil_contract_findings", "Findings of the newest validation", {"dataset", "severity"}, {}},
      {"maeil_day_unknown_values", "Values of the newest date that the model never saw", {"dataset"}, {}},
      {"maeil_labels_newest_date_timestamp_seconds",
       "The newest logical date (its midnight, UTC) whose labels are known",
       {"dataset"},
       {}},
      {"maeil_labels_delay_seconds",
       "How far the known labels are behind the newest scored date",
       {"dataset"},
       {}},
      {"maeil_task_state",
       "The state of each task of the newest date; always 1",
       {"dataset", "dag", "task", "state"},
       {}},
      {"maeil_task_duration_seconds",
       "How long the task took on the newest date",
       {"dataset", "dag", "task"},
       {}},
      {"maeil_task_tries",
       "How often the task was begun for the newest date",
       {"dataset", "dag", "task"},
       {}},
      {"maeil_contract_rule_findings",
       "Findings of the newest validation by the rule that was broken",
       {"dataset", "rule", "severity"},
       {}},
      {"maeil_feature_unknown_values",
       "Values of the newest date that the model never saw, of the features that have most",
       {"dataset", "feature"},
       {}},
  };
  return table;
}

}  // namespace

Families::Families() : families_(described()) {}

void Families::add(Metric metric, const std::vector<std::string>& values, std::optional<double> value) {
  Family& family = families_[static_cast<size_t>(metric)];
  if (!value || !std::isfinite(*value) || values.size() != family.labels.size()) return;
  Sample sample{{}, *value};
  for (size_t i = 0; i < values.size(); ++i)
    sample.labels.emplace_back(family.labels[i], dag::clean_text(values[i], kLongestLabel));
  const bool known =
      std::ranges::any_of(family.samples, [&](const Sample& other) { return other.labels == sample.labels; });
  if (!known) family.samples.push_back(std::move(sample));
}

void Families::unreadable(std::string what) {
  if (unreadable_++ == 0) first_unreadable_ = std::move(what);
}

size_t Families::close(size_t most) {
  constexpr size_t kOwn = 2;
  size_t count = std::accumulate(families_.begin(), families_.end(), kOwn,
                                 [](size_t sum, const Family& f) { return sum + f.samples.size(); });
  size_t left_out = 0;
  for (size_t i = families_.size(); i-- > 0 && count > most;) {
    auto& samples = families_[i].samples;
    const size_t fewer = std::min(samples.size(), count - most);
    samples.resize(samples.size() - fewer);
    count -= fewer;
    left_out += fewer;
  }
  add(Metric::kLeftOut, {}, static_cast<double>(left_out));
  add(Metric::kUnreadable, {}, static_cast<double>(unreadable_));
  return left_out;
}

}  // namespace maeil::telemetry
