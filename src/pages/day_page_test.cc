// A day's report: every fact of the record is there, what is missing is said, damage and hostile texts do no
// harm.
#include "pages/day_page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::pages {
namespace {

using store::Document;
using testing::HasSubstr;
using testing::Not;

Document with_id_of(int n, Document document) {
  document["_id"] = store::id_value(fmt::format("{:024x}", n));
  return document;
}

Document task_record(const char* dag, const char* task, const char* state,
                     Document more = Document::object()) {
  Document out = {{"dag_id", dag},
                  {"task_id", task},
                  {"state", state},
                  {"try_number", 1},
                  {"completions", 1},
                  {"duration", 0.25},
                  {"message", std::string(task) + " says this"}};
  out.update(more);
  return with_id_of(static_cast<int>(std::hash<std::string>{}(task) % 9999), std::move(out));
}

// A day that failed the gate and was alerted, with a number of its own in each field.
DayRecord alerted_day() {
  DayRecord out{.date = "2026-07-03", .dataset = "machines"};
  const Document metrics = {{"f1_score", 0.1101},
                            {"f1_interval", {0.1102, 0.1103}},
                            {"roc_auc", 0.1104},
                            {"precision", nullptr},
                            {"confusion_matrix", {{1105, 1106}, {1107, 1108}}},
                            {"reliability",
                             {{{"rows", 1109},
                               {"mean_probability", 0.111},
                               {"observed_rate", 0.1111},
                               {"low", 0.1112},
                               {"high", 0.1113}}}},
                            {"threshold", 0.1114},
                            {"measured_on", "test"},
                            {"rows", 1115}};
  const Document comparison = {{"champion_version", "20260101_000000"},
                               {"f1_difference", -0.1201},
                               {"f1_difference_interval", {-0.1202, 0.1203}},
                               {"segments",
                                {{{"column", "maker"},
                                  {"value", "B"},
                                  {"rows", 1204},
                                  {"positives", 1205},
                                  {"f1_score", 0.1206},
                                  {"champion_f1_score", 0.1207},
                                  {"f1_difference", -0.1208}}}}};
  out.tasks = {
      task_record("data_pipeline_dag", "generate_data", "success"),
      task_record("data_pipeline_dag", "validate_data", "success"),
      task_record("model_evaluation_pipeline", "load_latest_model", "success",
                  {{"result",
                    {{"model_id", "00000000000000000000000a"},
                     {"model_version", "20260101_000000"},
                     {"model_status", "deployed then"}}}}),
      task_record("model_evaluation_pipeline", "evaluate_model", "success"),
      task_record("model_evaluation_pipeline", "check_model_performance", "success",
                  {{"result", {{"passed", false}, {"f1_threshold", 0.9901}}}}),
      task_record("model_evaluation_pipeline", "retrain_1.prepare_retraining_data", "success",
                  {{"result", {{"parent_id", "00000000000000000000000a"}, {"fine", 1301}}}}),
      task_record("model_evaluation_pipeline", "retrain_1.finetune_model", "success",
                  {{"result", {{"model_version", "20260703_000001"}}}}),
      task_record(
          "model_evaluation_pipeline", "retrain_1.evaluate_finetuned_model", "success",
          {{"result", {{"passed", false}, {"metrics", {{"f1_score", 0.1302}}}, {"comparison", comparison}}}}),
      task_record("model_deployment_pipeline", "wait_for_evaluation", "skipped",
                  {{"message", "the evaluation ended in an alert"}}),
      task_record("model_deployment_pipeline", "deploy_model", "skipped",
                  {{"skipped_by", "wait_for_evaluation"}}),
      task_record("scoring_pipeline", "score_data", "success",
                  {{"start_date", {{"$date", "2026-11-30T02:00:02.000Z"}}},
                   {"program",
                    {{"maeil", "0.1.0"},
                     {"instruction_set", "avx9"},
                     {"settings", {{"F1_THRESHOLD", "0.99"}, {"LABELS", ""}}}}}})};
  out.raw_data =
      with_id_of(1, {{"source", "rows.csv"}, {"source_sha256", "abc"}, {"rows", 1001}, {"columns", 1002}});
  out.data_validations = with_id_of(2, {{"status", "passed_with_warnings"},
                                        {"rows", 1001},
                                        {"quarantined", 1003},
                                        {"set_aside", 1004},
                                        {"findings",
                                         {{{"rule", "max"},
                                           {"column", "heat"},
                                           {"severity", "warning"},
                                           {"count", 1005},
                                           {"share", 0.1006},
                                           {"message", "above max"}}}},
                                        {"statistics", {{"labelled", 1007}, {"target_rate", 0.1008}}}});
  out.processing_metadata =
      with_id_of(3, {{"num_records", 1009},
                     {"quarantined", {{"count", 1010}, {"rows", {{{"line", 1011}, {"reason", "too hot"}}}}}},
                     {"unseen", {{"maker", 1012}, {"plant", 0}}}});
  out.evaluated = with_id_of(4, {{"metrics", metrics}});
  out.model = with_id_of(10, {{"model_version", "20260101_000000"}, {"model_family", "boosted_trees"}});
  out.verdict = with_id_of(
      5, {{"status", "failed_max_retries"}, {"metrics", {{"f1_score", 0.1303}}}, {"retry_attempts", 1304}});
  Document alert = {
      {"alert_type", "MODEL_PERFORMANCE_FAILURE"}, {"severity", "CRITICAL"}, {"message", "it is bad"}};
  alert["alert_key"] = fmt::format("{:024x}", 7);
  alert["diagnosis"] = {{"good_day", "2026-07-02"},
                        {"cause", "its feed"},
                        {"changes", {"column heat lost values"}},
                        {"commands", {"maeil redo 2026-07-03"}}};
  out.alerts = {with_id_of(6, alert)};
  out.alert_states = {
      with_id_of(7, {{"state", "acknowledged"}, {"count", 1401}, {"by", "kim"}, {"comment", ""}})};
  auto histogram = std::vector<int>(20, 0);
  histogram[1] = 1501;
  out.predictions = with_id_of(8, {{"model_version", "20260101_000000"},
                                   {"rows", 1502},
                                   {"mean_probability", 0.1503},
                                   {"decisions", {{"0", 1504}, {"1", 1505}}},
                                   {"histogram", histogram}});
  out.matured = {with_id_of(
      9, {{"model_version", "20260101_000000"}, {"metrics", {{"f1_score", 0.1601}, {"rows", 1602}}}})};
  out.acts = {with_id_of(11, {{"actor", {{"os_user", "lee"}, {"host", "night"}}},
                              {"act", "redo"},
                              {"what", "2026-07-03"},
                              {"comment", "the right file"}})};
  return out;
}

// The numbers of a document, as the report shows them; flags and what a picture alone shows are none.
void collect(const Document& value, std::vector<std::string>& out) {
  if (value.is_number() && value != 0) out.push_back(fact(value));
  if (value.is_structured() && !value.contains("$date")) {
    for (const auto& [name, item] : value.items()) collect(item, out);
  }
}

TEST(DayPage, HasEveryNumberOfTheRecord) {
  const DayRecord record = alerted_day();
  const std::string page = report_html(day_report(record));
  std::vector<std::string> numbers;
  collect(to_document(record), numbers);
  EXPECT_GT(numbers.size(), 60u);
  for (const auto& number : numbers) EXPECT_THAT(page, HasSubstr(number));
  for (const auto* said :
       {"<h1>2026-07-03, machines</h1>", "rows.csv", "above max", "too hot", "its feed",
        "column heat lost values", "maeil redo 2026-07-03", "acknowledged", "kim", "lee on night",
        "the right file", "deployed then", "avx9", "0.1102 to 0.1103", "undefined", "0.05</td><td>0.10",
        "Nothing was deployed. wait_for_evaluation ended as skipped: the evaluation ended in an alert.",
        "No challenger was judged."}) {
    EXPECT_THAT(page, HasSubstr(said));
  }
  EXPECT_THAT(page, Not(HasSubstr("plant")));   // of which nothing was unseen
  EXPECT_THAT(page, Not(HasSubstr("LABELS")));  // not set
}

TEST(DayPage, SaysWhatIsMissing) {
  DayRecord record{.date = "2026-07-04", .dataset = "machines"};
  record.tasks = {task_record("data_pipeline_dag", "wait_for_source", "success"),
                  task_record("data_pipeline_dag", "generate_data", "failed",
                              {{"error", {{"code", "io"}, {"message", "the disk is full"}}}})};
  const Report report = day_report(record);
  EXPECT_EQ(report.lead, "The date has no verdict. generate_data failed: the disk is full.");
  const std::string page = report_html(report);
  for (const auto* said :
       {"Nothing was taken in. generate_data ended as failed: the disk is full.",
        "The rows were not held against a contract. validate_data never ran.",
        "The rows were not prepared for a model. preprocess_data never ran.",
        "No alert was raised for this date.",
        "The model in force was not evaluated. evaluate_model never ran.",
        "Nothing was retrained. check_model_performance never ran.", "There is no verdict.",
        "Nothing was deployed. deploy_model never ran.", "Nothing was scored. score_data never ran.",
        "audit_log has nothing", "Not recorded: no task of the date says which program",
        "<b>none</b><span>rows that came in</span>",
        "<b>not judged</b><span>F1 of the model in force</span>"}) {
    EXPECT_THAT(page, HasSubstr(said));
  }
}

TEST(DayPage, SaysThatLabelsAreNotThereYet) {
  DayRecord record = alerted_day();
  record.data_validations["statistics"] = {{"labelled", 0}, {"target_rate", nullptr}};
  record.verdict = with_id_of(5, {{"status", "not_judged"}, {"reason", "no labels yet: they are due"}});
  const std::string page = report_html(day_report(record));
  EXPECT_THAT(page, HasSubstr("No labels yet: no row came with one."));
  EXPECT_THAT(page, HasSubstr("Not judged: no labels yet: they are due."));
}

TEST(DayPage, SaysThatWhatItShowsIsOfAnEarlierDoing) {
  DayRecord record = alerted_day();
  EXPECT_THAT(day_report(record).lead, Not(HasSubstr("before")));
  for (auto& task : record.tasks) {
    if (task["task_id"] == "evaluate_model") task["state"] = "none";
  }
  Document verdict = record.tasks.back();
  verdict.update({{"task_id", "send_alert"}, {"state", "none"}});
  record.tasks.push_back(verdict);
  const std::string page = report_html(day_report(record));
  EXPECT_THAT(
      page, HasSubstr("what the date said before it was begun again: the state of evaluate_model is none."));
  EXPECT_THAT(page, HasSubstr("F1 of the model in force, before it was begun again"));
  EXPECT_THAT(day_report(record).lead, HasSubstr("has no verdict yet; what it said before: "));
}

TEST(DayPage, WhatWaitsForAPersonChangedNothing) {
  DayRecord record = alerted_day();
  record.deployment_events = {with_id_of(12, {{"event_type", "pending_approval"},
                                              {"model_version", "20260703_000001"},
                                              {"status", "pending"},
                                              {"unchanged", false}})};
  record.tasks.push_back(task_record("model_evaluation_pipeline", "train_challenger", "skipped",
                                     {{"message", "the last one was judged yesterday"}}));
  const std::string page = report_html(day_report(record));
  EXPECT_THAT(page, HasSubstr("<td>pending</td><td>no, what was deployed stays</td>"));
  EXPECT_THAT(page, HasSubstr("Version 20260703_000001 waited for a person&#39;s approval"));
  EXPECT_THAT(page, HasSubstr("No challenger was judged. train_challenger ended as skipped: the last one was "
                              "judged yesterday."));
  EXPECT_THAT(page, Not(HasSubstr("Nothing was deployed")));
}

TEST(DayPage, NamesTasksThatHadOtherSettings) {
  DayRecord record = alerted_day();
  record.tasks[0]["program"] = {{"settings", {{"F1_THRESHOLD", "0.2"}}}};
  EXPECT_THAT(report_html(day_report(record)),
              HasSubstr("<td>F1_THRESHOLD</td><td>0.2</td><td>generate_data</td>"));
}

// Every text of the record becomes markup that would run, and every other value another kind.
void spoil(Document& value, bool texts) {
  if (value.is_structured()) {
    for (auto& item : value) spoil(item, texts);
  } else if (texts && value.is_string()) {
    value = "<script>alert('" + value.get<std::string>() + "')</script>";
  } else if (!texts) {
    value = value.is_number() ? Document("text") : Document(7);
  }
}

TEST(DayPage, HostileAndDamagedDocumentsDoNoHarm) {
  for (const bool texts : {true, false}) {
    DayRecord record = alerted_day();
    for (auto* one : {&record.raw_data, &record.data_validations, &record.processing_metadata,
                      &record.evaluated, &record.model, &record.verdict, &record.predictions})
      spoil(*one, texts);
    for (auto* some : {&record.tasks, &record.alerts, &record.alert_states, &record.matured, &record.acts}) {
      for (auto& one : *some) spoil(one, texts);
    }
    const std::string page = report_html(day_report(record));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("</main></body></html>"));
    if (texts) {
      EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;its feed&#39;)&lt;/script&gt;"));
    }
  }
  // Whole documents, and fields that should be lists or objects, of another kind.
  DayRecord record = alerted_day();
  record.data_validations["findings"] = {3, "x", nullptr};
  record.processing_metadata["unseen"] = "x";
  record.evaluated["metrics"] = {1, 2};
  record.predictions["histogram"] = {"x", nullptr, -1};
  record.alerts.push_back(7);
  record.acts.push_back("x");
  record.tasks.push_back(Document::array({1}));
  EXPECT_THAT(report_html(day_report(record)), HasSubstr("</main></body></html>"));
}

}  // namespace
}  // namespace maeil::pages
