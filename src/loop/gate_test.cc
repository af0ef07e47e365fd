// The gate and its third verdict: what is undefined or too little is neither passed nor failed.
#include "loop/gate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dag/task_history.h"
#include "dag/task_record.h"
#include "loop/attempt_choice.h"
#include "loop/evaluation.h"
#include "loop/not_judged.h"
#include "loop/pipelines.h"
#include "registry/audit.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

// `positives` defaults, of which the model finds `found`, among `negatives` others, all of which it knows.
store::Document metrics_of(int positives, int found, int negatives, uint64_t unlabelled = 0) {
  Scores scores;
  for (int i = 0; i < positives; ++i)
    scores.probabilities.push_back(i < found ? 0.9 : 0.1), scores.labels.push_back(1);
  for (int i = 0; i < negatives; ++i) scores.probabilities.push_back(0.2), scores.labels.push_back(0);
  scores.unlabelled = unlabelled;
  return evaluate_scores(scores, 1, "test").value();
}

TEST(Judge, PassesAndFailsByF1WhereThereIsEnoughToJudge) {
  Settings settings;
  EXPECT_EQ(judge(metrics_of(10, 10, 10), settings).gate, Gate::kPassed);
  EXPECT_EQ(judge(metrics_of(10, 0, 10), settings).gate, Gate::kFailed);  // F1 0: defined, and a failure
  settings.f1_threshold = 1;
  EXPECT_EQ(judge(metrics_of(10, 10, 10), settings).gate, Gate::kPassed);
}

TEST(Judge, ByTheLowerBoundWhereGateRuleSaysSo) {
  Settings settings;
  const auto metrics = metrics_of(40, 28, 200);  // F1 0.82, its interval from about 0.73 on
  EXPECT_EQ(judge(metrics, settings).gate, Gate::kPassed);
  settings.gate_rule = "lower_bound";
  ASSERT_LT(metrics["f1_interval"][0].get<double>(), settings.f1_threshold);
  EXPECT_EQ(judge(metrics, settings).gate, Gate::kFailed);
  settings.f1_threshold = metrics["f1_interval"][0].get<double>();
  EXPECT_EQ(judge(metrics, settings).gate, Gate::kPassed);
  settings.min_positives = 1;
  const auto wide = judge(metrics_of(1, 1, 99), settings);  // a third of the draws have no positive
  EXPECT_EQ(wide.gate, Gate::kNotJudged);
  EXPECT_EQ(wide.reason, "F1 has no interval, whose lower end GATE_RULE asks for");
}

TEST(EvaluateScores, DecidesByTheScoresThreshold) {
  Scores scores{{0.1, 0.2, 0.3, 0.4}, {0, 1, 0, 1}, 0, 0.2};
  auto metrics = evaluate_scores(scores, 1, "test").value();
  EXPECT_EQ(metrics["threshold"], 0.2);
  EXPECT_EQ(metrics["confusion_matrix"],
            store::Document::parse("[[1, 1], [0, 2]]"));  // 0.2 itself is decided 1
  EXPECT_EQ(metrics["reliability"].size(), 4u);
  EXPECT_NEAR(metrics["expected_calibration_error"].get<double>(), (0.1 + 0.8 + 0.3 + 0.6) / 4, 1e-12);
  scores.threshold = 0.5;
  EXPECT_EQ(evaluate_scores(scores, 1, "test").value()["confusion_matrix"],
            store::Document::parse("[[2, 0], [2, 0]]"));
}

TEST(Judge, TooFewRowsOfAClassAreNotJudgedAndSaySo) {
  const Settings settings;
  const auto few = judge(metrics_of(9, 0, 500), settings);
  EXPECT_EQ(few.gate, Gate::kNotJudged);
  EXPECT_EQ(few.reason, "9 of the 509 labelled rows are positive: MIN_POSITIVES asks for 10");
  EXPECT_EQ(judge(metrics_of(500, 500, 1), settings).reason,
            "1 of the 501 labelled rows is negative: MIN_NEGATIVES asks for 10");
  const auto none = judge(metrics_of(0, 0, 300), settings);
  EXPECT_EQ(none.gate, Gate::kNotJudged);
  EXPECT_FALSE(none.f1);
  EXPECT_EQ(none.counts.negatives, 300);
  EXPECT_EQ(not_judged_document(none),
            (store::Document{{"reason", none.reason}, {"rows", 300}, {"positives", 0}, {"negatives", 300}}));
  Settings fewer;
  fewer.min_positives = fewer.min_negatives = 1;
  EXPECT_EQ(judge(metrics_of(1, 1, 1), fewer).gate, Gate::kPassed);
  EXPECT_EQ(judge(metrics_of(0, 0, 300), fewer).gate, Gate::kNotJudged);
}

TEST(Judge, RowsWithoutALabelAreCountedAndNoneOfTheOthers) {
  const auto document = metrics_of(10, 10, 10, 7);
  EXPECT_EQ(document["rows"], 20);
  EXPECT_NE(describe(document).find("10 positives in 20 rows, 7 rows without a label left out"),
            std::string::npos);
  const auto none = judge(metrics_of(0, 0, 0, 7), {});
  EXPECT_EQ(none.gate, Gate::kNotJudged);
  EXPECT_EQ(none.reason, "none of the 7 rows has a label");
}

TEST(EvaluateScores, WhatIsUndefinedIsNullAndTextSaysUndefined) {
  for (const auto& document : {metrics_of(0, 0, 300), metrics_of(0, 0, 0)}) {
    for (const char* name :
         {"f1_score", "roc_auc", "precision", "recall", "pr_auc", "ks", "gini", "f1_interval"})
      EXPECT_TRUE(document[name].is_null()) << name;
    EXPECT_NE(describe(document).find("F1 undefined, AUC undefined"), std::string::npos);
    EXPECT_FALSE(document["undefined_reason"].get<std::string>().empty());
    EXPECT_EQ(document["measured_on"], "test");
  }
  EXPECT_EQ(metrics_of(0, 0, 300)["accuracy"], 1);
  EXPECT_TRUE(metrics_of(0, 0, 0)["accuracy"].is_null());
  EXPECT_TRUE(metrics_of(1, 1, 99)["f1_interval"].is_null());  // a third of the draws have no default
  Scores broken{{NAN}, {1}};
  EXPECT_EQ(evaluate_scores(broken, 1, "test").error().code, ErrorCode::kBadInput);
}

TEST(BestAttempt, IsTheHighestF1ThenTheLowestLossThenTheNewest) {
  EXPECT_EQ(best_attempt({{0.5, 0.1}, {0.7, 0.9}, {0.6, 0.2}}), 1u);
  EXPECT_EQ(best_attempt({{0.5, 0.3}, {0.5, 0.2}, {0.5, 0.4}}), 1u);
  EXPECT_EQ(best_attempt({{std::nullopt, 0.2}, {std::nullopt, 0.3}}), 0u);
  EXPECT_EQ(best_attempt({{std::nullopt, 0.4}, {0.0, 0.3}, {std::nullopt, 0.5}}),
            1u);  // an undefined F1 is not below 0
  EXPECT_EQ(best_attempt({{std::nullopt, std::nullopt}, {std::nullopt, std::nullopt}}), 1u);
  EXPECT_EQ(best_attempt({{0.0, 0.1}}), 0u);
}

struct JudgingDay : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();
  dag::TaskContext context{
      *store, parse_date("2026-11-23").value(), "run", kEvaluationDag, "skip_evaluation", 0, 1,
      {},     [](std::string_view) {},          {}};

  void put_raw(const store::Document& more) {
    store::Document raw = {{"_id", store::id_value(store::new_object_id(now()))},
                           {"logical_date", "2026-11-23"}};
    raw.update(more);
    store::Batch batch;
    batch.puts.push_back({"raw_data", raw});
    ASSERT_TRUE(store->commit(batch));
  }
  void put_record(const std::string& task, const store::Document& result) {
    dag::TaskRecord record;
    record.task_id = task;
    record.state = dag::TaskState::kSuccess;
    record.result = result;
    const dag::TaskName name{context.logical_date, kEvaluationDag, task};
    store::Document document = {{"_id", store::id_value(dag::record_id(name))}};
    document.update(dag::record_fields(name, record));
    store::Batch batch;
    batch.puts.push_back({dag::kTaskInstances, std::move(document)});
    ASSERT_TRUE(store->commit(batch));
  }
};

TEST_F(JudgingDay, RowsOfTheFallbackJudgeNothingHoweverGoodTheModel) {
  store::Document evaluated = {{"metrics", metrics_of(50, 50, 500)}, {"fallback", false}};
  EXPECT_EQ(judge_evaluated(evaluated, {}).gate, Gate::kPassed);
  evaluated["fallback"] = true;
  const auto judged = judge_evaluated(evaluated, {});
  EXPECT_EQ(judged.gate, Gate::kNotJudged);
  EXPECT_NE(judged.reason.find("SOURCE_FALLBACK"), std::string::npos);
}

// The rows were drawn again after they were evaluated: what they are now says nothing of the metrics.
TEST_F(JudgingDay, TheGateAsksTheRawDataThatWasEvaluated) {
  const table::DatasetSpec spec;
  const Settings settings;
  const Day day{settings, spec};
  context.task_id = "check_model_performance";
  const auto check = make_tasks(day).at({kEvaluationDag, context.task_id});
  const std::string evaluated = store::new_object_id(now()), later = store::new_object_id(now());
  store::Document result = {{"model_id", "a"},
                            {"model_version", "v1"},
                            {"metrics", metrics_of(50, 50, 500)},
                            {"raw_data_id", evaluated},
                            {"fallback", true}};
  put_record("evaluate_model", result);
  // Raw data that are gone: by what was recorded.
  EXPECT_EQ(check(context).value().next.front(), "skip_evaluation");
  put_raw({{"_id", store::id_value(evaluated)}, {"fallback", true}});
  EXPECT_EQ(check(context).value().next.front(), "skip_evaluation");
  store::Batch again;
  again.sets.push_back({"raw_data", evaluated, {{"superseded_by", store::id_value(later)}}});
  ASSERT_TRUE(store->commit(again));
  put_raw({{"_id", store::id_value(later)}});
  const auto refused = check(context);
  ASSERT_FALSE(refused);
  EXPECT_EQ(exit_code(refused.error().code), 1);
  EXPECT_NE(refused.error().message.find("clear evaluate_model first"), std::string::npos);
  result.update({{"raw_data_id", later}, {"fallback", false}});
  put_record("evaluate_model", result);
  EXPECT_EQ(check(context).value().next.front(), "send_evaluation_results");
}

// A person's approval is an act, and so is the gate's: one entry, however often the try is repeated.
TEST_F(JudgingDay, AnApprovalOfTheGateIsAnEntryOfTheAuditLog) {
  const table::DatasetSpec spec;
  const Settings settings;
  const Day day{settings, spec};
  registry::NewVersion version{.id = store::new_object_id(now()),
                               .model_name = registry::kClassifier,
                               .version = "20261123_000001",
                               .file_id = store::new_object_id(now())};
  store::Batch made;
  made.puts.push_back({registry::kCollection, registry::make_version_document(version, now())});
  ASSERT_TRUE(store->commit(made));
  put_record(
      "evaluate_model",
      {{"model_id", version.id}, {"model_version", version.version}, {"metrics", metrics_of(50, 50, 500)}});
  context.task_id = "send_evaluation_results";
  const auto send = make_tasks(day).at({kEvaluationDag, context.task_id});
  const auto entry_of = [](const dag::TaskOutcome& outcome) {
    std::vector<store::Document> found;
    for (const auto& put : outcome.batch.puts) {
      if (put.collection == registry::kAuditLog) found.push_back(put.document);
    }
    return found.size() == 1 ? found.front() : store::Document();
  };
  const auto outcome = send(context).value();
  const auto entry = entry_of(outcome);
  ASSERT_TRUE(entry.is_object());
  for (const auto& [field, value] :
       {std::pair("act", "approve"), std::pair("what", "20261123_000001"), std::pair("from", "registered"),
        std::pair("to", "approved"), std::pair("run_id", "run")})
    EXPECT_EQ(entry[field], value);
  // A try that is repeated before its commit.
  EXPECT_EQ(entry_of(send(context).value())["_id"], entry["_id"]);
  // Done again later: an act of its own, and the earlier entry stays as it was written.
  context.completions = 1;
  auto again = send(context).value();
  EXPECT_NE(entry_of(again)["_id"], entry["_id"]);
  ASSERT_TRUE(store->commit(outcome.batch));
  const dag::TaskName name{context.logical_date, kEvaluationDag, context.task_id};
  ASSERT_TRUE(dag::link_to_earlier(*store, name, 1, again.batch));
  for (const auto& set : again.batch.sets) EXPECT_NE(set.collection, registry::kAuditLog);
}

TEST_F(JudgingDay, SkippingRecordsTheVerdictAndAWarning) {
  const table::DatasetSpec spec;
  const Settings settings;
  const Day day{settings, spec};
  EXPECT_EQ(skip_evaluation(day, context).error().code, ErrorCode::kNotFound);  // no branch chose it
  const store::Document why = {{"reason", "too few"}, {"rows", 90}, {"positives", 3}, {"negatives", 87}};
  put_record("evaluate_model", {{"model_id", "a"}, {"model_version", "v1"}});
  put_record("check_model_performance", {{"passed", false}, {"not_judged", why}});
  auto outcome = skip_evaluation(day, context).value();
  ASSERT_EQ(outcome.batch.puts.size(), 2u);
  const auto &alert = outcome.batch.puts[0].document, &event = outcome.batch.puts[1].document;
  EXPECT_EQ(alert["alert_type"], "MODEL_NOT_JUDGED");
  EXPECT_EQ(alert["severity"], "WARNING");
  EXPECT_EQ(event["event_type"], "evaluation_skipped");
  EXPECT_EQ(event["status"], "not_judged");
  for (const auto* document : {&alert, &event}) {
    EXPECT_EQ((*document)["reason"], "too few");
    EXPECT_EQ((*document)["positives"], 3);
    EXPECT_EQ((*document)["negatives"], 87);
    EXPECT_EQ((*document)["rows"], 90);
    EXPECT_EQ((*document)["model_id"], "a");
  }
  // An attempt that could not be judged after one that was.
  put_record("check_model_performance", {{"passed", false}});
  put_record("retrain_1.evaluate_finetuned_model", {{"passed", false}});
  put_record("retrain_2.evaluate_finetuned_model",
             {{"model_id", "b"}, {"model_version", "v2"}, {"not_judged", why}});
  EXPECT_EQ(skip_evaluation(day, context).value().batch.puts[1].document["model_id"], "b");
}

}  // namespace
}  // namespace maeil::loop
