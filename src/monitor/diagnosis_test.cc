// What an alert says of its cause: each by what was recorded, and nothing where chance explains it.
#include "monitor/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace maeil::monitor {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

DaySummary rows_of_a_day() {
  table::ColumnSummary income, grade, rate_of_exchange;
  income.column = "income";
  income.missing = 0.01;
  income.values = 990;
  income.mean = 50;
  income.deviation = 10;
  grade.column = "grade";
  grade.values = 1000;
  grade.shares = {{"A", 0.7}, {"B", 0.3}};
  grade.all_shares = true;
  rate_of_exchange.column = "usdkrw";
  rate_of_exchange.values = 1000;
  rate_of_exchange.mean = 1376.7;
  rate_of_exchange.deviation = 0;
  return {1000, 1000, 0.07, {income, grade, rate_of_exchange}};
}

DateFacts facts(const char* date, double f1, double roc_auc) {
  DateFacts out;
  out.date = out.rows_of = parse_date(date).value();
  out.rows = rows_of_a_day();
  out.judged = out.passed = {"20261101_000000", f1, roc_auc};
  return out;
}

// A gate that failed on a day like the good one.
Evidence failed_gate() {
  Evidence out;
  out.rule = "MODEL_PERFORMANCE_FAILURE";
  out.today = facts("2026-11-25", 0.2, 0.97);
  out.good = facts("2026-11-24", 0.9, 0.98);
  out.deployed = out.today.judged.version;
  out.f1_threshold = 0.75;
  return out;
}

TEST(Diagnosis, AFeedThatLostValues) {
  Evidence evidence = failed_gate();
  evidence.today.rows->columns[0].missing = 0.43;
  const auto told = diagnose(evidence);
  EXPECT_EQ(
      told.cause,
      "The feed of income is likely broken: it has lost values: income: 43 % missing (1 % on 2026-11-24)");
  EXPECT_EQ(told.good_day, parse_date("2026-11-24").value());
  EXPECT_THAT(told.changes, Contains("income: 43 % missing (1 % on 2026-11-24)"));
  EXPECT_THAT(told.changes, Not(Contains(HasSubstr("usdkrw"))));
}

TEST(Diagnosis, ValuesThatTheModelNeverSaw) {
  Evidence evidence = failed_gate();
  evidence.today.unseen["grade"] = 0.6;
  EXPECT_THAT(diagnose(evidence).cause,
              HasSubstr("grade: 60 % of the rows have a value that the model never saw"));
}

TEST(Diagnosis, AWrongJoinIsRankingLostWithoutAColumnThatChanged) {
  Evidence evidence = failed_gate();
  evidence.today.judged.roc_auc = 0.55;
  evidence.attempts = {{0.1, 0.6, "", ""},
                       {0.15, 0.67, "it lost too much in region", "region = n: F1 0.1000 (0.2000 before)"}};
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause, StartsWith("Rows are likely joined wrongly"));
  EXPECT_THAT(
      told.cause,
      HasSubstr(
          "0.5500 (0.9800 on 2026-11-24), and retrained on those rows it reaches 0.6700 at best, though no "
          "column has changed by itself"));
  EXPECT_THAT(told.changes, Contains("no column has changed by itself"));
  EXPECT_THAT(told.changes, Contains("attempt 2: F1 0.1500, ROC AUC 0.6700: it lost too much in region; "
                                     "worst segment region = n: F1 0.1000 (0.2000 before)"));
}

// What the world does can be learnt from the day's own rows, whatever else has changed since the good day.
TEST(Diagnosis, WhatCannotBeLearntAgainIsNoChangeOfTheWorld) {
  Evidence evidence = failed_gate();
  evidence.today.judged.roc_auc = 0.55;
  evidence.today.rows->target_rate = 0.2;
  evidence.today.rows->columns[0].mean = 60;
  evidence.attempts = {{0.1, 0.6, "", ""}};
  EXPECT_THAT(diagnose(evidence).cause, StartsWith("Rows are likely joined wrongly"));
  evidence.attempts[0].roc_auc = 0.97;
  EXPECT_THAT(diagnose(evidence).cause, StartsWith("The rate of the target has changed"));
}

TEST(Diagnosis, ATargetThatBecameMoreFrequent) {
  Evidence evidence = failed_gate();
  evidence.today.rows->target_rate = 0.2;
  EXPECT_EQ(diagnose(evidence).cause,
            "The rate of the target has changed: 20 % of the labelled rows are positive (7 % on 2026-11-24); "
            "the model "
            "still ranks (ROC AUC 0.9700)");
}

TEST(Diagnosis, AnotherVersionAndTheWayBack) {
  Evidence evidence = failed_gate();
  evidence.today.judged.version = evidence.deployed = "20261125_000000";
  evidence.today.judged.roc_auc = 0.7;
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause, StartsWith("Version 20261125_000000 is likely the cause"));
  EXPECT_THAT(told.commands, Contains(StartsWith("maeil model deploy 20261101_000000 ")));
  EXPECT_THAT(diagnose(failed_gate()).commands, Not(Contains(HasSubstr("deploy"))));
}

TEST(Diagnosis, RowsOfAnotherKind) {
  Evidence evidence = failed_gate();
  evidence.today.rows->columns[0].mean = 65;
  evidence.today.rows->columns[1].shares = {{"A", 0.5}, {"B", 0.5}};
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause, HasSubstr("2 of 3 columns have changed, most income: mean 65 (50 on 2026-11-24)"));
  evidence.today.rows->rows = 300;
  EXPECT_THAT(diagnose(evidence).changes, Contains("300 rows (1000 on 2026-11-24)"));
}

TEST(Diagnosis, WithoutAGoodDayOnlyWeakRankingIsSaid) {
  Evidence evidence = failed_gate();
  evidence.good.reset();
  EXPECT_EQ(diagnose(evidence).cause, "");
  evidence.today.judged.roc_auc = 0.66;
  evidence.attempts = {{0.1, 0.67, "", ""}};
  EXPECT_THAT(diagnose(evidence).cause,
              StartsWith("The rows likely carry too little to reach the gate of 0.75"));
}

TEST(Diagnosis, AColumnThatWasFilledHasLostNothing) {
  Evidence evidence = failed_gate();
  evidence.good->rows->columns[0].missing = 0.4;
  evidence.today.rows->columns[0].missing = 0;
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause,
              HasSubstr("1 of 3 columns have changed, most income: 0 % missing (40 % on 2026-11-24)"));
}

// Of the rows that were judged, which may be others than the day's; a small change of many rows is no cause.
TEST(Diagnosis, TheRateIsThatOfTheRowsJudged) {
  Evidence evidence = failed_gate();
  evidence.today.rate = 0.58, evidence.today.labelled = 188;
  evidence.good->rate = 0.105, evidence.good->labelled = 200;
  EXPECT_THAT(diagnose(evidence).cause,
              HasSubstr("58 % of the labelled rows are positive (10.5 % on 2026-11-24)"));
  evidence.today.rate = 0.072, evidence.today.labelled = 100'000'000;
  evidence.good->rate = 0.07, evidence.good->labelled = 100'000'000;
  EXPECT_THAT(diagnose(evidence).cause, Not(HasSubstr("rate")));
}

TEST(Diagnosis, WhatPassedOnTheGoodDayAndWaitsIsApprovedAndNotDeployed) {
  Evidence evidence = failed_gate();
  evidence.good->passed = {"20261124_000000", 0.9, 0.98};
  evidence.good->waits = true;
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause,
              HasSubstr("as on 2026-11-24 already: version 20261124_000000 passed there and waits"));
  EXPECT_THAT(told.commands, Contains(StartsWith("maeil model approve 20261124_000000 ")));
  EXPECT_THAT(told.commands, Not(Contains(HasSubstr("deploy"))));
}

TEST(Diagnosis, AttemptsThatASegmentStops) {
  Evidence evidence = failed_gate();
  evidence.attempts = {{0.9, 0.98, "it lost 0.3 of F1 in region = north", ""}};
  EXPECT_THAT(diagnose(evidence).cause,
              HasSubstr("may not take the place of version 20261101_000000: it lost 0.3"));
}

// Of a date that an older maeil recorded there are no statistics.
TEST(Diagnosis, WhatWasNotComparedHasNotStayedTheSame) {
  Evidence evidence = failed_gate();
  evidence.good->rows.reset();
  evidence.today.judged.roc_auc = 0.55;
  evidence.attempts = {{0.1, 0.6, "", ""}};
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.cause, StartsWith("Rows are likely joined wrongly"));
  EXPECT_THAT(told.cause, Not(HasSubstr("no column")));
  EXPECT_THAT(told.changes, Not(Contains(HasSubstr("no column"))));
}

// With late labels the model was judged on the rows of another date; the same date's rows have not changed.
TEST(Diagnosis, RowsOfOneDateAreNotComparedWithThemselves) {
  Evidence evidence = failed_gate();
  evidence.today.rows->columns[0].missing = 0.43;
  evidence.today.rows_of = evidence.good->rows_of;
  const auto told = diagnose(evidence);
  EXPECT_THAT(told.commands,
              Contains(StartsWith("maeil labels import --in FILE    # the labels of 2026-11-24 again")));
  EXPECT_THAT(told.changes, Not(Contains(HasSubstr("missing"))));
  EXPECT_THAT(told.cause, Not(HasSubstr("feed")));
}

TEST(Diagnosis, AContractByItsRule) {
  Evidence evidence = failed_gate();
  evidence.rule = "DATA_CONTRACT_BROKEN";
  evidence.source = "loans.csv";
  const auto with = [&](const char* rule, const char* column, const char* message) {
    evidence.findings = {{.rule = "usual_rows", .column = "", .examples = {}, .message = "many rows"},
                         {.rule = rule,
                          .column = column,
                          .severity = table::Severity::kError,
                          .examples = {},
                          .message = message}};
    return diagnose(evidence);
  };
  EXPECT_EQ(with("max_missing", "income", "income is missing in 43 %").cause,
            "The feed of income is likely broken: income is missing in 43 %");
  EXPECT_THAT(with("min_rows", "", "3 rows").cause, StartsWith("The file was likely cut off"));
  EXPECT_THAT(with("unique_file", "", "x").cause,
              StartsWith("The file of another day was likely sent again"));
  EXPECT_THAT(with("max", "rate", "x").cause,
              StartsWith("rate is likely written in another way, or in another unit"));
  const auto told = with("min_rows", "", "3 rows");
  EXPECT_THAT(told.changes, Contains("many rows"));
  EXPECT_THAT(told.commands, Contains(StartsWith("maeil redo 2026-11-25 --in FILE ")));
}

TEST(Diagnosis, WhatHelpsIsByTheRule) {
  Evidence evidence;
  evidence.today = facts("2026-11-25", 0.9, 0.9);
  for (const auto& [rule, command] : {std::pair("TASK_FAILED", "maeil logs 2026-11-25 validate_data "),
                                      {"DEPLOYMENT_FAILED", "maeil run --date 2026-11-25 "},
                                      {"APPROVAL_PENDING", "maeil model approve 2026 "},
                                      {"MODEL_ROLLED_BACK", "maeil model history "},
                                      {"LABELS_OVERDUE", "maeil labels import "}}) {
    evidence.rule = rule;
    evidence.task = "validate_data";
    evidence.version = "2026";
    const auto told = diagnose(evidence);
    EXPECT_THAT(told.commands, Contains(StartsWith(command))) << rule;
    EXPECT_THAT(told.changes, IsEmpty()) << rule;
    EXPECT_EQ(told.cause, "");
  }
}

// Days that are drawn from one distribution, of few rows and of many columns: nothing is told of any.
TEST(Diagnosis, ChanceIsNoChange) {
  std::mt19937 random(7);
  for (int n = 0; n < 200; ++n) {
    Evidence evidence = failed_gate();
    for (auto* side : {&evidence.today, &*evidence.good}) {
      side->rows = DaySummary{60, 60, 0.07, {}};
      for (int k = 0; k < 20; ++k) {
        table::ColumnSummary number, text;
        number.column = "n" + std::to_string(k), text.column = "t" + std::to_string(k);
        number.values = text.values = 60;
        double sum = 0, squares = 0, yes = 0;
        for (int i = 0; i < 60; ++i) {
          const double x = std::normal_distribution<>(5, 2)(random);
          sum += x, squares += x * x;
          yes += std::bernoulli_distribution(0.3)(random);
        }
        number.mean = sum / 60;
        number.deviation = std::sqrt(squares / 60 - *number.mean * *number.mean);
        text.shares = {{"yes", yes / 60}, {"no", 1 - yes / 60}};
        text.all_shares = true;
        side->rows->columns.push_back(number), side->rows->columns.push_back(text);
      }
    }
    EXPECT_THAT(diagnose(evidence).changes, Contains("no column has changed by itself")) << n;
  }
}

}  // namespace
}  // namespace maeil::monitor
