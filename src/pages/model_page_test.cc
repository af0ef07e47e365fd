// A version's document: what is recorded is in its chapter, what is not is said, hostile texts do no harm.
#include "pages/model_page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::pages {
namespace {

using store::Document;
using testing::HasSubstr;
using testing::Not;

Document numbered(int n, Document document) {
  document["_id"] = store::id_value(fmt::format("{:024x}", n));
  return document;
}

ModelRecord whole_record() {
  ModelRecord out;
  out.dataset = "machines";
  out.target = "<broken>";
  out.positive = "true";
  out.description = "dataset.toml";
  out.version =
      numbered(1, {{"model_version", "20260101_000000"},
                   {"status", "deployed"},
                   {"model_family", "boosted_trees"},
                   {"hyperparameters", {{"trees", 2101}, {"learning_rate", 0.2102}}},
                   {"metrics", {{"f1_score", 0.2103}, {"undefined_reason", "there is no <row>"}}},
                   {"decision",
                    {{"calibration", {{"method", "platt"}, {"slope", 2.2104}}},
                     {"threshold", {{"value", 0.2105}, {"rows", 2106}}},
                     {"choice", {{"candidates", {{{"method", "platt"}, {"log_loss", 0.2107}}}}}}}},
                   {"status_history", {{{"status", "registered"}, {"note", "trained on 2108 rows"}}}}});
  out.parent = numbered(2, {{"model_version", "20250101_000000"}});
  out.training_event = numbered(3, {{"epochs", {{{"loss", 0.2201}, {"measured_on", "held_out"}}}}});
  out.training_data = numbered(4, {{"num_finetune_samples", 2202}});
  out.raw_data = {numbered(
      5, {{"logical_date", "2026-07-03"}, {"source", "rows.csv"}, {"sha256", "abc"}, {"rows", 2203}})};
  out.judgements = {numbered(6, {{"logical_date", "2026-07-03"},
                                 {"dataset_name", "test"},
                                 {"metrics", {{"f1_score", 0.2301}, {"f1_interval", {0.2302, 0.2303}}}},
                                 {"comparison",
                                  {{"f1_difference", 0.2304},
                                   {"segments", {{{"column", "maker"}, {"value", "B"}, {"rows", 2305}}}}}}})};
  out.verdicts = {numbered(7, {{"status", "not_judged"}, {"reason", "too few"}, {"rows", 2306}})};
  out.children = {numbered(8, {{"model_version", "20270101_000000"}, {"status", "rejected"}})};
  out.challengers = {
      numbered(9, {{"model_version", "20280101_000000"}, {"metrics", {{"f1_score", 0.2307}}}})};
  out.predictions = {
      numbered(10, {{"logical_date", "2026-07-04"}, {"rows", 2308}, {"mean_probability", 0.2309}})};
  out.deployment_events = {numbered(11, {{"status", "deployed"}, {"error", ""}})};
  out.alerts = {numbered(12, {{"alert_type", "MODEL_NOT_JUDGED"}, {"message", "<script>"}})};
  out.acts = {numbered(
      13, {{"act", "approve"}, {"actor", {{"os_user", "kim"}, {"host", "h"}}}, {"comment", "fine"}})};
  out.settings =
      numbered(14, {{"settings", {{"F1_THRESHOLD", "0.2401"}, {"ALERT_ROUTES", ""}, {"SEED", "2402"}}}});
  return out;
}

void numbers_of(const Document& value, std::vector<std::string>& out) {
  if (value.is_number()) out.push_back(fact(value));
  if (value.is_structured()) {
    for (const auto& item : value) numbers_of(item, out);
  }
}

TEST(ModelPage, HasEveryNumberOfTheRecord) {
  const std::string page = report_html(model_report(whole_record()));
  std::vector<std::string> numbers;
  numbers_of(to_document(whole_record()), numbers);
  EXPECT_EQ(numbers.size(), 19u);
  for (const auto& number : numbers) EXPECT_THAT(page, HasSubstr(number));
  for (const auto* said :
       {"<h1>Model 20260101_000000, machines</h1>",
        "that &lt;broken&gt; is true (by dataset.toml as it is now)",
        "When it was made: trained on 2108 rows.", "20250101_000000", "rows.csv", "0.2302 to 0.2303",
        "On 2026-07-03, the version", "too few", "20270101_000000", "20280101_000000", "kim", "fine",
        "0.2401", "<th scope=\"row\">ALERT_ROUTES</th><td>not set</td>",
        "undefined: there is no &lt;row&gt;."}) {
    EXPECT_THAT(page, HasSubstr(said));
  }
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("2402")));  // a seed is no part of the monitoring
}

TEST(ModelPage, SaysWhatIsMissing) {
  ModelRecord record;
  record.dataset = "machines";
  record.version = numbered(1, {{"model_version", "20260101_000000"}, {"status", "registered"}});
  const std::string page = report_html(model_report(record));
  for (const auto* said :
       {"What is predicted is not known here", "no training_data of the same doing was found",
        "The hash of the rows that it learnt from was not recorded.",
        "It was not fine-tuned from another version.", "How it learnt is not told",
        "The version itself has no metrics", "None was fitted", "it was judged on no date, or",
        "By segment nothing was recorded", "it has scored no date, or",
        "no date on which it could not be judged", "No alert was raised about it.",
        "It was compared with no challenger", "No version was fine-tuned from it.",
        "no day of the dataset has said", "How it came to its status was not recorded.",
        "nobody has approved or deployed it", "it was never deployed, or"}) {
    EXPECT_THAT(page, HasSubstr(said));
  }
}

}  // namespace
}  // namespace maeil::pages
