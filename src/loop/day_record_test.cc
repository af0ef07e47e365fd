// What is read of a date and of a version: what counts, by whatever wrote it, and nothing of others.
#include "loop/day_record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop/model_record.h"
#include "loop/pipelines.h"
#include "store/field_rules.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using store::Document;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kDay = "2026-07-03";

struct Records : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();
  int written = 0;

  // With an id and a time of its own; the id.
  std::string put(const char* collection, Document document) {
    const std::string id = fmt::format("{:024x}", ++written);
    document["_id"] = store::id_value(id);
    document["timestamp"] = {{"$date", fmt::format("2026-07-04T00:00:{:02}.000Z", written)}};
    store::Batch batch;
    batch.puts.push_back({collection, std::move(document)});
    EXPECT_TRUE(store->commit(batch));
    return id;
  }
  void put_task(const char* date, const char* dag, const char* task, const char* state) {
    put("task_instances",
        {{"logical_date", date}, {"dag_id", dag}, {"task_id", task}, {"state", state}, {"run_id", "r1"}});
  }
  static std::string key(const char* dag, const char* task) {
    return fmt::format("{}/{}/{}", kDay, dag, task);
  }
};

std::vector<std::string> fields(const std::vector<Document>& documents, const char* field) {
  std::vector<std::string> out;
  for (const auto& one : documents) out.push_back(store::text_field(one, field));
  return out;
}

TEST_F(Records, TasksAreInTheOrderOfTheDayAndShardsAreLeftOut) {
  put_task(kDay, kScoringDag, "score_data", "success");
  put_task(kDay, kDataDag, "generate_data", "success");
  put_task(kDay, kEvaluationDag, "evaluate_model[1/2]", "success");
  put_task(kDay, kEvaluationDag, "evaluate_model[2/2]", "failed");
  put_task(kDay, "somebodys_dag", "other", "success");
  put_task("2026-07-02", kDataDag, "generate_data", "success");
  const auto record = read_day_record(*store, "machines", *parse_date(kDay));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_THAT(fields(record->tasks, "task_id"),
              ElementsAre("generate_data", "evaluate_model[2/2]", "score_data", "other"));
}

TEST_F(Records, ADateThatNeverRanNamesTheNewest) {
  auto record = read_day_record(*store, "machines", *parse_date(kDay));
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(record.error().message, HasSubstr("nor did any other date"));
  for (const char* date : {"2026-06-01", "2026-06-03", "2026-06-02", "2026-06-03"})
    put_task(date, kDataDag, "generate_data", "success");
  record = read_day_record(*store, "machines", *parse_date(kDay));
  ASSERT_FALSE(record);
  EXPECT_THAT(record.error().message, HasSubstr("are 2026-06-03, 2026-06-02, 2026-06-01 ("));
}

TEST_F(Records, OnlyWhatCountsIsRead) {
  put_task(kDay, kEvaluationDag, "evaluate_model", "success");
  const std::string evaluation = key(kEvaluationDag, "evaluate_model");
  const auto judged = [&](const char* name, const char* task_key, const char* date = kDay) {
    return Document{{"logical_date", date}, {"dataset_name", name}, {"task_key", task_key}};
  };
  Document old = judged("test", evaluation.c_str());
  old["superseded_by"] = store::id_value(fmt::format("{:024x}", 99));
  put("performance_metrics", old);
  Document present = judged("test", (evaluation + "#2").c_str());
  const std::string model = put("model_metadata", {{"model_version", "20260101_000000"}});
  present["model_id"] = model;
  const std::string counts = put("performance_metrics", present);
  put("performance_metrics", judged("test", key(kEvaluationDag, "evaluate_model_too").c_str()));
  put("performance_metrics", judged("matured", "labels"));
  put("performance_metrics", judged("test", "2026-07-02/x/evaluate_model", "2026-07-02"));
  put("evaluation_events", {{"logical_date", kDay}, {"status", "approved"}});  // of another program
  put("evaluation_events",
      {{"logical_date", kDay}, {"status", "retrained"}, {"task_key", key(kEvaluationDag, "x")}});
  const std::string state = put("alert_states", {{"rule", "TASK_FAILED"}});
  put("alerts", {{"logical_date", kDay}, {"alert_type", "TASK_FAILED"}, {"alert_key", state}});
  put("alerts", {{"logical_date", kDay}, {"alert_type", "LABELS_OVERDUE"}, {"alert_key", 7}});
  const auto record = read_day_record(*store, "machines", *parse_date(kDay));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(store::id_text(store::field_at(record->evaluated, "_id")), counts);
  EXPECT_EQ(store::text_field(record->model, "model_version"), "20260101_000000");
  EXPECT_EQ(store::text_field(record->verdict, "status"), "retrained");
  EXPECT_THAT(fields(record->matured, "task_key"), ElementsAre("labels"));
  EXPECT_THAT(fields(record->alerts, "alert_type"), ElementsAre("TASK_FAILED", "LABELS_OVERDUE"));
  EXPECT_THAT(fields(record->alert_states, "rule"), ElementsAre("TASK_FAILED"));
  EXPECT_TRUE(record->predictions.is_null());
}

TEST_F(Records, ActsAreOfTheRunsOfTheDateAboutItAndOfThatDay) {
  put_task(kDay, kDataDag, "generate_data", "success");
  put("dag_runs", {{"logical_date", kDay}, {"run_id", "r0"}});
  put("dag_runs", {{"logical_date", kDay}, {"run_id", "manual"}});  // by hand: no run of this date alone
  for (const auto& [run, what, day, comment] :
       {std::tuple("r0", "v1", "2026-07-04", "by a run before"),
        std::tuple("r1", "v1", "2026-07-04", "by the last run"),
        std::tuple("manual", "v2", "2026-07-04", "by hand, later"),
        std::tuple("manual", "v2", kDay, "by hand, that day"),
        std::tuple("r9", "2026-07-03 from deploy_model", "2026-07-09", "about it"),
        std::tuple("r9", "2026-07-031", "2026-07-09", "about something else")})
    put("audit_log", {{"run_id", run}, {"what", what}, {"logical_date", day}, {"comment", comment}});
  const auto record = read_day_record(*store, "machines", *parse_date(kDay));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_THAT(fields(record->acts, "comment"),
              ElementsAre("by a run before", "by the last run", "by hand, that day", "about it"));
}

TEST_F(Records, AnAttemptIsReadWithTheRowsThatItLearntFrom) {
  const std::string parent = put("model_metadata", {{"model_version", "20260101_000000"}});
  put("training_data", {{"task_key", key(kEvaluationDag, "retrain_1.prepare_retraining_data")},
                        {"days", {"2026-07-01", "2026-07-02"}}});
  put("training_data",
      {{"task_key", key(kEvaluationDag, "retrain_2.prepare_retraining_data")}, {"days", {kDay}}});
  for (const char* date : {"2026-07-02", "2026-07-01", kDay}) put("raw_data", {{"logical_date", date}});
  registry::ModelVersion version;
  version.finetuned_from = parent;
  version.version = "20260703_000000";
  version.document = {{"task_key", key(kEvaluationDag, "retrain_1.finetune_model")}};
  version.id = put("model_metadata", version.document);
  put("challenger_events", {{"comparison", {{"champion_id", version.id}}}, {"status", "rejected"}});
  put("audit_log", {{"what", version.version}, {"act", "approve"}});
  put("audit_log", {{"what", "machines"}, {"act", "settings"}, {"settings", {{"SEED", "1"}}}});
  put("audit_log", {{"what", "machines"}, {"act", "settings"}, {"settings", {{"SEED", "2"}}}});
  const auto record = read_model_record(*store, version);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(store::text_field(record->parent, "model_version"), "20260101_000000");
  EXPECT_THAT(fields(record->raw_data, "logical_date"), ElementsAre("2026-07-01", "2026-07-02"));
  EXPECT_THAT(fields(record->challengers, "status"), ElementsAre("rejected"));
  EXPECT_THAT(fields(record->acts, "act"), ElementsAre("approve"));
  EXPECT_EQ(store::field_at(record->settings, "settings.SEED"), "2");
  EXPECT_TRUE(record->training_event.is_null());
}

}  // namespace
}  // namespace maeil::loop
