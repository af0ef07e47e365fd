// The newest versions and what is deployed: what they are, and how good on each split, last measured.
#include <set>

#include "loop/labels/matured.h"
#include "registry/versions.h"
#include "store/field_rules.h"
#include "telemetry/read_metrics.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {
namespace {

using store::Document;
using store::text_field;

constexpr const char* kEvaluations = "performance_metrics";
constexpr int64_t kNewestEvaluations = 30;  // of a version, for the newest of each split
constexpr size_t kSplits = 8;

Result<std::vector<registry::ModelVersion>> versions_to_read(const Reading& reading) {
  store::FindOptions newest;
  newest.filter = {{"model_name", registry::kClassifier}};
  newest.sort = {{"model_version", -1}};
  newest.limit = kVersions;
  MAEIL_ASSIGN(auto documents, reading.view.find(registry::kCollection, newest));
  newest.filter["status"] = "deployed";
  newest.limit = 1;
  MAEIL_ASSIGN(const auto deployed, reading.view.find(registry::kCollection, newest));
  // First, so that it is never what is left out.
  documents.insert(documents.begin(), deployed.begin(), deployed.end());
  std::vector<registry::ModelVersion> out;
  std::set<std::string> seen;
  for (const auto& document : documents) {
    auto version = registry::version_from(document);
    if (!version)
      reading.out.unreadable(version.error().message);
    else if (seen.insert(version->id).second)
      out.push_back(std::move(*version));
  }
  return out;
}

void add_evaluation(const Reading& reading, const std::string& version, const Document& evaluation) {
  struct Measure {
    Metric metric;
    const char* path;
  };
  constexpr Measure kMeasures[] = {{Metric::kF1, "metrics.f1_score"},
                                   {Metric::kRocAuc, "metrics.roc_auc"},
                                   {Metric::kPrAuc, "metrics.pr_auc"},
                                   {Metric::kCalibrationError, "metrics.expected_calibration_error"},
                                   {Metric::kJudgedRows, "metrics.rows"}};
  auto& out = reading.out;
  const std::vector<std::string> labels = {reading.dataset, version, text_field(evaluation, "dataset_name")};
  for (const auto& [metric, path] : kMeasures)
    out.add(metric, labels, number_at(out, kEvaluations, evaluation, path));
  const Document& interval = field_at(evaluation, "metrics.f1_interval");
  if (interval.is_array() && interval.size() == 2 && interval[0].is_number() && interval[1].is_number()) {
    out.add(Metric::kF1Low, labels, interval[0].get<double>());
    out.add(Metric::kF1High, labels, interval[1].get<double>());
  }
  out.add(Metric::kJudgedTime, labels, seconds_at(out, kEvaluations, evaluation, "timestamp"));
}

Status read_evaluations(const Reading& reading, const registry::ModelVersion& version) {
  store::FindOptions newest;
  newest.filter = {{"model_id", version.id}, {"superseded_by", {{"$exists", false}}}};
  newest.sort = {{"timestamp", -1}};
  newest.limit = kNewestEvaluations;
  newest.projection = {"dataset_name", "metrics", "timestamp", "logical_date"};
  MAEIL_ASSIGN(const auto found, reading.view.find(kEvaluations, newest));
  std::set<std::string> splits;
  for (const auto& evaluation : found) {
    const std::string split = text_field(evaluation, "dataset_name");
    if (split == loop::kMatured) {
      const auto date = parse_date(text_field(evaluation, "logical_date"));
      if (date) reading.labels.note_labelled(*date);
    }
    if (split.empty() || splits.size() == kSplits || !splits.insert(split).second) continue;
    add_evaluation(reading, version.version, evaluation);
  }
  return {};
}

}  // namespace

Status read_models(const Reading& reading) {
  auto& out = reading.out;
  MAEIL_ASSIGN(const auto versions, versions_to_read(reading));
  for (const auto& version : versions) {
    const std::string family = text_field(version.document, "family");
    out.add(Metric::kModelInfo,
            {reading.dataset, version.version, family.empty() ? "tab_transformer" : family, version.status},
            1);
    MAEIL_TRY(read_evaluations(reading, version));
  }
  store::FindOptions newest;
  newest.filter = {{"status", "deployed"}};
  newest.sort = {{"timestamp", -1}};
  newest.limit = 1;
  newest.projection = {"model_version", "timestamp"};
  MAEIL_ASSIGN(const auto event, reading.view.find_one("deployment_events", newest));
  if (!event.is_null())
    out.add(Metric::kDeployed, {reading.dataset, text_field(event, "model_version")},
            seconds_at(out, "deployment_events", event, "timestamp"));
  return {};
}

}  // namespace maeil::telemetry
