#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <regex>

#include "base/dataset_name.h"
#include "base/file.h"
#include "dag/task_record.h"
#include "store/dataset_store.h"
#include "store/forwarding_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"
#include "telemetry/exposition.h"
#include "telemetry/read_metrics.h"

namespace maeil::telemetry {
namespace {

using store::Document;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kData = "data_pipeline_dag";
constexpr const char* kEvaluation = "model_evaluation_pipeline";
const Days kDay = parse_date("2026-11-23").value();

std::string id_of(int n) { return fmt::format("{:024x}", n); }

Document at(std::string_view instant) { return store::date_value(parse_instant(instant).value()); }

// Counts the documents that are handed out.
class Counting : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Status find_each(std::string_view collection, const store::FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    return below_.find_each(collection, options, [&](Document&& document) {
      ++count;
      return visit(std::move(document));
    });
  }
  size_t count = 0;
};

// A store that a test fills, and what is told of it.
struct Filled {
  store::TempFolder folder;
  std::unique_ptr<store::Store> whole = must(store::open_sqlite(folder / "maeil.db"));
  std::unique_ptr<store::Store> view = store::dataset_view(*whole, std::string(kBuiltinDataset));
  store::Batch batch;
  int next = 1;

  void put(const char* collection, Document document) {
    if (!document.contains("_id")) document["_id"] = store::id_value(id_of(next++));
    batch.puts.push_back({collection, std::move(document)});
  }
  void task(Days date, const char* dag, const std::string& id, const char* state,
            Document::initializer_list_t result = {}) {
    const dag::TaskName name{date, view->name_here(dag), id};
    put("task_instances", {{"_id", store::id_value(dag::record_id(name))},
                           {"logical_date", format_date(date)},
                           {"dag_id", name.dag_id},
                           {"task_id", id},
                           {"state", state},
                           {"duration", 1.5},
                           {"try_number", 2},
                           {"completions", 1},
                           {"result", Document::object(result)}});
  }
  void run(Days date, const char* dag, const char* state, std::string_view end) {
    put("dag_runs", {{"logical_date", format_date(date)},
                     {"dag_id", view->name_here(dag)},
                     {"state", state},
                     {"start_date", at(end)},
                     {"end_date", at(end)},
                     {"duration", 12.5}});
  }
  void verdict(Days date, const char* status) {
    put("evaluation_events",
        {{"logical_date", format_date(date)}, {"status", status}, {"timestamp", at("2026-11-23T00:01:00Z")}});
  }
  void version(const std::string& id, const char* version, const char* status) {
    put("model_metadata", {{"_id", store::id_value(id)},
                           {"model_name", "default_prediction_classifier"},
                           {"model_version", version},
                           {"model_path", "models/a.pth"},
                           {"model_format", "pth"},
                           {"family", "boosted_trees"},
                           {"status", status}});
  }
  void evaluation(const std::string& model, const char* split, Document::initializer_list_t metrics) {
    put("performance_metrics", {{"model_id", model},
                                {"dataset_name", split},
                                {"logical_date", "2026-11-23"},
                                {"metrics", Document::object(metrics)},
                                {"timestamp", at("2026-11-23T00:02:00Z")}});
  }
  void commit() {
    must(view->commit(batch));
    batch = {};
  }
  Families read() {
    commit();
    return must(read_metrics(*whole, {{std::string(kBuiltinDataset)}, std::nullopt}));
  }
};

std::optional<double> value_of(const Families& families, Metric metric,
                               const std::vector<std::string>& labels) {
  for (const auto& sample : families.of(metric).samples) {
    std::vector<std::string> values;
    for (const auto& [name, value] : sample.labels) values.push_back(value);
    if (values == labels) return sample.value;
  }
  return std::nullopt;
}

const std::string kBook(kBuiltinDataset);

TEST(Telemetry, AnEmptyStoreIsToldOfByItsBuildAlone) {
  Filled store;
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kLeftOut, {}), 0);
  for (const auto& family : families.all()) {
    const bool own = family.name == "maeil_build_info" || family.name.starts_with("maeil_metrics_");
    EXPECT_EQ(family.samples.size(), own ? 1 : 0) << family.name;
  }
}

TEST(Telemetry, EachDagsLastSuccessIsToldHoweverLongItHasFailed) {
  Filled store;
  store.run(kDay, kData, "success", "2026-11-23T01:00:00Z");
  store.run(kDay, kEvaluation, "success", "2026-11-23T02:00:00Z");
  for (int i = 1; i <= static_cast<int>(kRuns); ++i)
    store.run(kDay + std::chrono::days(i), kEvaluation, "failed",
              fmt::format("2027-{:02}-{:02}T00:00:00Z", 1 + i / 28, 1 + i % 28));
  store.run(kDay + std::chrono::days(1), kData, "success", "2028-01-02T03:04:05Z");
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kDagLastSuccess, {kBook, kData}), 1830395045);
  EXPECT_EQ(value_of(families, Metric::kDagLastSuccess, {kBook, kEvaluation}), 1795399200);
  EXPECT_EQ(value_of(families, Metric::kDagLastDate, {kBook, kEvaluation}), 1795392000);
  EXPECT_EQ(value_of(families, Metric::kDagRunState, {kBook, kEvaluation, "failed"}), 1);
  EXPECT_EQ(value_of(families, Metric::kDagRunDuration, {kBook, kData}), 12.5);
}

TEST(Telemetry, ADaysTasksRowsAndAttempts) {
  Filled store;
  const Days before = kDay - std::chrono::days(1);
  store.task(before, "scoring_pipeline", "score_data", "success", {{"rows", 90}, {"quarantined", 1}});
  store.task(before, kData, "generate_data", "success", {{"rows", 5}});
  store.task(kDay, kData, "generate_data", "success", {{"rows", 100}});
  store.task(kDay, kData, "generate_data[2/7]", "success", {{"rows", 14}});
  store.task(kDay, "scoring_pipeline", "score_data", "running");
  store.task(kDay, kEvaluation, "check_model_performance", "success", {{"f1_threshold", 0.75}});
  store.task(kDay, kEvaluation, "retrain_1.evaluate_finetuned_model", "success", {{"passed", false}});
  store.task(kDay, kEvaluation, "retrain_2.evaluate_finetuned_model", "success", {{"passed", true}});
  store.task(kDay, kEvaluation, "retrain_3.evaluate_finetuned_model", "skipped");
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kNewestDate, {kBook}), 1795392000);
  EXPECT_EQ(value_of(families, Metric::kRows, {kBook, "generated"}), 100);
  EXPECT_EQ(value_of(families, Metric::kRows, {kBook, "scored"}), 90) << "of the date before, while it runs";
  EXPECT_EQ(value_of(families, Metric::kQuarantined, {kBook, "scored"}), 1);
  EXPECT_EQ(value_of(families, Metric::kQuarantined, {kBook, "generated"}), std::nullopt);
  EXPECT_EQ(value_of(families, Metric::kThreshold, {kBook}), 0.75);
  EXPECT_EQ(value_of(families, Metric::kAttempts, {kBook, "passed"}), 1);
  EXPECT_EQ(value_of(families, Metric::kAttempts, {kBook, "failed"}), 1);
  EXPECT_EQ(value_of(families, Metric::kTaskState, {kBook, "scoring_pipeline", "score_data", "running"}), 1);
  EXPECT_EQ(value_of(families, Metric::kTaskDuration, {kBook, kData, "generate_data"}), 1.5);
  EXPECT_EQ(value_of(families, Metric::kTaskTries, {kBook, kData, "generate_data"}), 2);
  EXPECT_EQ(families.of(Metric::kTaskState).samples.size(), 6) << "no shards, no older dates";
}

TEST(Telemetry, WhatWasPreparedValidatedAndScored) {
  Filled store;
  const auto written = [&](const char* dag, const char* task, const char* collection,
                           Document::initializer_list_t fields) {
    Document document = Document::object(fields);
    const dag::TaskName name{kDay, store.view->name_here(dag), task};
    document["_id"] = store::id_value(store::task_object_id(name.key(), collection, 0));
    store.put(collection, std::move(document));
  };
  store.task(kDay, kData, "preprocess_data", "success", {{"rows", 10}});
  store.task(kDay, kData, "validate_data", "failed", {{"validation_id", id_of(0xabc)}});
  store.task(kDay, "scoring_pipeline", "score_data", "success", {{"rows", 10}});
  Document unseen = {{"few", 1}, {"none", 0}};
  for (size_t i = 0; i < kFeatures + 5; ++i) unseen[fmt::format("f{:02}", i)] = 10 + i;
  written(kData, "preprocess_data", "processing_metadata", {{"unseen", unseen}});
  store.put("data_validations",
            {{"_id", store::id_value(id_of(0xabc))},
             {"statistics", {{"rows", 10}, {"labelled", 5}}},
             {"findings", Document::array({{{"rule", "min"}, {"severity", "error"}},
                                           {{"rule", "min"}, {"severity", "error"}},
                                           {{"rule", "usual_rows"}, {"severity", "warning"}}})}});
  written("scoring_pipeline", "score_data", "predictions",
          {{"mean_probability", 0.25}, {"decisions", {{"0", 6}, {"1", 2}}}});
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kUnknownValues, {kBook}), 551);
  EXPECT_EQ(families.of(Metric::kFeatureUnknown).samples.size(), kFeatures);
  EXPECT_EQ(value_of(families, Metric::kFeatureUnknown, {kBook, "f24"}), 34);
  EXPECT_EQ(value_of(families, Metric::kFeatureUnknown, {kBook, "few"}), std::nullopt);
  EXPECT_EQ(value_of(families, Metric::kFindings, {kBook, "error"}), 2);
  EXPECT_EQ(value_of(families, Metric::kFindings, {kBook, "warning"}), 1);
  EXPECT_EQ(value_of(families, Metric::kFindingsByRule, {kBook, "min", "error"}), 2);
  EXPECT_EQ(value_of(families, Metric::kMeanProbability, {kBook}), 0.25);
  EXPECT_EQ(value_of(families, Metric::kPositiveShare, {kBook}), 0.25);
  EXPECT_EQ(value_of(families, Metric::kLabelsDelay, {kBook}), 0);
}

TEST(Telemetry, LabelsAreAsFarBehindAsTheNewestLabelledDateIs) {
  Filled store;
  store.task(kDay, "scoring_pipeline", "score_data", "success");
  store.task(kDay, kEvaluation, "evaluate_model", "success",
             {{"judged_on", Document::array({"2026-11-12", "2026-11-13"})}});
  EXPECT_EQ(value_of(store.read(), Metric::kLabelsDelay, {kBook}), 10 * 86400);
  store.version(id_of(0xa), "20261101_000000", "deployed");
  store.put("performance_metrics", {{"model_id", id_of(0xa)},
                                    {"dataset_name", "matured"},
                                    {"logical_date", "2026-11-21"},
                                    {"metrics", {{"f1_score", 0.5}}},
                                    {"timestamp", at("2026-11-23T00:02:00Z")}});
  EXPECT_EQ(value_of(store.read(), Metric::kLabelsDelay, {kBook}), 2 * 86400);
  const auto came_with_the_rows = [&](Days date, int n, int labelled) {
    store.task(date, kData, "validate_data", "success", {{"validation_id", id_of(n)}});
    store.put("data_validations",
              {{"_id", store::id_value(id_of(n))}, {"statistics", {{"rows", 10}, {"labelled", labelled}}}});
  };
  came_with_the_rows(kDay, 0xd0, 4);  // fewer than half: the others are still to come
  came_with_the_rows(kDay - std::chrono::days(1), 0xd1, 5);
  EXPECT_EQ(value_of(store.read(), Metric::kLabelsDelay, {kBook}), 86400);
}

TEST(Telemetry, WhatIsUndefinedHasNoSample) {
  Filled store;
  store.version(id_of(0xa), "20261101_000000", "deployed");
  store.evaluation(id_of(0xa), "test", {{"f1_score", nullptr}, {"roc_auc", 0.5}, {"f1_interval", nullptr}});
  const auto families = store.read();
  const std::vector<std::string> labels = {kBook, "20261101_000000", "test"};
  EXPECT_EQ(value_of(families, Metric::kRocAuc, labels), 0.5);
  EXPECT_EQ(value_of(families, Metric::kF1, labels), std::nullopt);
  EXPECT_EQ(value_of(families, Metric::kF1Low, labels), std::nullopt);
  EXPECT_EQ(value_of(families, Metric::kUnreadable, {}), 0);
}

TEST(Telemetry, WhatADamagedDocumentSaysIsLeftOutAndCounted) {
  Filled store;
  store.version(id_of(0xa), "20261101_000000", "deployed");
  store.evaluation(id_of(0xa), "test", {{"f1_score", "high"}, {"roc_auc", 0.5}});
  store.verdict(kDay, "splendid");
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kRocAuc, {kBook, "20261101_000000", "test"}), 0.5);
  EXPECT_EQ(value_of(families, Metric::kUnreadable, {}), 2);
  EXPECT_THAT(families.first_unreadable(), HasSubstr("evaluation_events, document 00000000000000000000000"));
}

TEST(Telemetry, TheNewestVersionsAndWhatIsDeployedAreTold) {
  Filled store;
  store.version(id_of(0xa), "20260101_000000", "deployed");
  for (int i = 1; i <= 9; ++i)
    store.version(id_of(0xb0 + i), fmt::format("2026010{}_000001", i).c_str(), "rejected");
  store.evaluation(id_of(0xa), "test", {{"f1_score", 0.9}, {"f1_interval", Document::array({0.8, 0.95})}});
  store.evaluation(id_of(0xb1), "test", {{"f1_score", 0.1}});
  store.put("deployment_events", {{"status", "deployed"},
                                  {"model_version", "20260101_000000"},
                                  {"timestamp", at("2026-11-23T00:00:01.500Z")}});
  const auto families = store.read();
  EXPECT_EQ(families.of(Metric::kModelInfo).samples.size(), kVersions + 1);
  EXPECT_EQ(value_of(families, Metric::kModelInfo, {kBook, "20260101_000000", "boosted_trees", "deployed"}),
            1);
  EXPECT_EQ(value_of(families, Metric::kF1, {kBook, "20260101_000000", "test"}), 0.9);
  EXPECT_EQ(value_of(families, Metric::kF1High, {kBook, "20260101_000000", "test"}), 0.95);
  EXPECT_EQ(value_of(families, Metric::kF1, {kBook, "20260101_000001", "test"}), std::nullopt);
  EXPECT_EQ(value_of(families, Metric::kDeployed, {kBook, "20260101_000000"}), 1795392001.5);
}

TEST(Telemetry, VerdictsAreCountedOnceADate) {
  Filled store;
  for (int i = 0; i < 40; ++i) store.verdict(kDay - std::chrono::days(i), i == 3 ? "retrained" : "approved");
  store.put("evaluation_events", {{"logical_date", format_date(kDay)},
                                  {"status", "failed_max_retries"},
                                  {"superseded_by", store::id_value(id_of(1))}});
  store.put("evaluation_events", {{"_id", store::id_value(id_of(0))},  // by another program: a date has one
                                  {"logical_date", format_date(kDay - std::chrono::days(1))},
                                  {"status", "approved"}});
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kRecentVerdicts, {kBook, "approved"}), 29);
  EXPECT_EQ(value_of(families, Metric::kRecentVerdicts, {kBook, "retrained"}), 1);
  EXPECT_EQ(value_of(families, Metric::kRecentVerdicts, {kBook, "failed_max_retries"}), 0);
  EXPECT_EQ(value_of(families, Metric::kVerdict, {kBook, "approved"}), 1);
  EXPECT_EQ(families.of(Metric::kVerdict).samples.size(), 1);
}

TEST(Telemetry, AlertsAreThoseOfTheNewestDateUntilTheirStatesAreKept) {
  Filled store;
  store.task(kDay, kData, "generate_data", "success");
  const auto alert = [&](const char* date, const char* type, const char* severity) {
    store.put("alerts", {{"logical_date", date}, {"alert_type", type}, {"severity", severity}});
  };
  alert("2026-11-22", "MODEL_PERFORMANCE_FAILURE", "CRITICAL");
  alert("2026-11-23", "MODEL_NOT_JUDGED", "WARNING");
  auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kAlertsOpen, {kBook, "CRITICAL"}), 0);
  EXPECT_EQ(value_of(families, Metric::kAlertsOpen, {kBook, "WARNING"}), 1);
  const auto state = [&](const char* rule, const char* segment, const char* standing) {
    store.put("alert_states", {{"rule", rule},
                               {"segment", segment},
                               {"state", standing},
                               {"severity", "CRITICAL"},
                               {"last_seen", "2026-11-22"}});
  };
  state("MODEL_PERFORMANCE_FAILURE", "", "open");
  state("MODEL_PERFORMANCE_FAILURE", "sme", "silenced");
  state("DATA_CONTRACT_BROKEN", "", "resolved");
  families = store.read();
  EXPECT_EQ(value_of(families, Metric::kAlertsOpen, {kBook, "CRITICAL"}), 2);
  EXPECT_EQ(value_of(families, Metric::kAlertsOpen, {kBook, "WARNING"}), 0);
  EXPECT_EQ(value_of(families, Metric::kAlertLastSeen, {kBook, "MODEL_PERFORMANCE_FAILURE", "CRITICAL"}),
            1795305600);
  EXPECT_EQ(families.of(Metric::kAlertLastSeen).samples.size(), 1);
}

TEST(Telemetry, TwoDatasetsOfAStoreDoNotMix) {
  Filled store;
  store.task(kDay, kData, "generate_data", "success", {{"rows", 1}});
  store.run(kDay, kData, "success", "2026-11-23T01:00:00Z");
  store.commit();
  store.view = store::dataset_view(*store.whole, "loans");
  store.task(kDay, kData, "generate_data", "success", {{"rows", 2}});
  store.run(kDay, kData, "failed", "2026-11-23T02:00:00Z");
  const auto families = store.read();
  EXPECT_EQ(value_of(families, Metric::kRows, {kBook, "generated"}), 1);
  EXPECT_EQ(value_of(families, Metric::kRows, {"loans", "generated"}), 2);
  EXPECT_EQ(value_of(families, Metric::kDagRunState, {"loans", kData, "failed"}), 1);
  EXPECT_EQ(value_of(families, Metric::kDagLastSuccess, {"loans", kData}), std::nullopt);
}

TEST(Telemetry, TenYearsAreNotRead) {
  Filled store;
  store.version(id_of(0xa), "20261101_000000", "deployed");
  for (int i = 0; i < 3650; ++i) {
    const Days date = kDay - std::chrono::days(i);
    store.task(date, kData, "generate_data", "success", {{"rows", 1}});
    store.task(date, "scoring_pipeline", "score_data", "success", {{"rows", 1}});
    store.run(date, kData, "success", format_date(date) + "T01:00:00Z");
    store.verdict(date, "approved");
    store.evaluation(id_of(0xa), "test", {{"f1_score", 0.5}});
  }
  store.commit();
  Counting counting(*store.whole);
  const auto families = must(read_metrics(counting, {}));
  EXPECT_EQ(value_of(families, Metric::kRecentVerdicts, {kBook, "approved"}), kVerdicts);
  EXPECT_LT(counting.count, 1000) << "of 18,000 documents";
}

TEST(Telemetry, TheLeastImportantIsLeftOutAndThatIsSaid) {
  Filled store;
  for (int n = 0; n < 12; ++n) {
    store.view = store::dataset_view(*store.whole, fmt::format("book{}", n));
    store.run(kDay, kData, "success", "2026-11-23T01:00:00Z");
    for (int i = 0; i < 80; ++i)
      store.task(kDay, kEvaluation, fmt::format("retrain_{}.finetune_model", i), "success");
    store.commit();
  }
  const auto families = store.read();
  size_t series = 0;
  for (const auto& family : families.all()) series += family.samples.size();
  EXPECT_EQ(series, kMostSeries);
  EXPECT_EQ(families.of(Metric::kDagLastSuccess).samples.size(), 12);
  EXPECT_GT(value_of(families, Metric::kLeftOut, {}).value_or(0), 500);
}

TEST(Exposition, IsAsPrometheusReadsIt) {
  Families families;
  families.add(Metric::kFeatureUnknown, {"a", "quote \" back\\slash\nline"}, 3);
  families.add(Metric::kFeatureUnknown, {"a", "\xff"}, 4);
  families.add(Metric::kFeatureUnknown, {"a", "\xff"}, 5);  // the same series again
  families.add(Metric::kRows, {"a", "scored"}, std::nan(""));
  families.close(kMostSeries);
  const std::string text = exposition(families);
  EXPECT_THAT(text, HasSubstr("# TYPE maeil_feature_unknown_values gauge\n"));
  EXPECT_THAT(text, HasSubstr("# HELP maeil_feature_unknown_values Values of the newest date"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "maeil_feature_unknown_values{dataset=\"a\",feature=\"quote \\\" back\\\\slash\\nline\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("} 5")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
  EXPECT_THAT(text, Not(HasSubstr("maeil_day_rows")));
  EXPECT_EQ(text.back(), '\n');
}

TEST(Exposition, HasNoIds) {
  Filled store;
  const std::string id = "65f1a2b3c4d5e6f708192a3b";
  store.version(id, "20261101_000000", "deployed");
  store.evaluation(id, "test", {{"f1_score", 0.5}});
  store.task(kDay, kEvaluation, "evaluate_model", "success", {{"model_id", id}});
  store.run(kDay, kEvaluation, "success", "2026-11-23T01:00:00Z");
  const std::string text = exposition(store.read());
  EXPECT_THAT(text, HasSubstr("maeil_model_f1_ratio"));
  EXPECT_FALSE(std::regex_search(text, std::regex("[0-9a-f]{24}"))) << text;
}

TEST(MetricsFile, IsReplacedWholeAndReadableForOthers) {
  store::TempFolder folder;
  const std::string path = folder / "maeil.prom";
  Families families;
  families.close(kMostSeries);
  const mode_t before = ::umask(077);
  must(write_metrics_file(path, families));
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  must(write_metrics_file(path, families));
  ::umask(before);
  EXPECT_EQ(must(read_file(path)), exposition(families));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0644));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "nothing beside it";
}

TEST(MetricsFile, IsWrittenByOneAfterTheOther) {
  store::TempFolder folder;
  const std::string path = (folder / "textfile" / "maeil.prom").string();
  const auto at_once = std::chrono::milliseconds(0);
  {
    const Turn first(path, at_once);
    EXPECT_TRUE(first.taken());
    EXPECT_FALSE(Turn(path, at_once).taken());
    EXPECT_FALSE(Turn(path, std::chrono::milliseconds(20)).taken()) << "and it goes on";
  }
  EXPECT_TRUE(Turn(path, at_once).taken());
  Families families;
  families.close(kMostSeries);
  must(write_metrics_file(path, families));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "textfile"), {}), 1);
}

TEST(MetricsFile, OfANameThatNobodyReadsIsRefused) {
  store::TempFolder folder;
  Families families;
  const auto refused = write_metrics_file(folder / "maeil.txt", families);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("end in .prom"));
  EXPECT_FALSE(std::filesystem::exists(folder / "maeil.txt"));
}

}  // namespace
}  // namespace maeil::telemetry
