#include "loop/comparison.h"

#include <gtest/gtest.h>

#include "loop/evaluation.h"
#include "loop/gate.h"

namespace maeil::loop {
namespace {

// Rows of one segment: of its positives the champion and the version find the first so many, and both take
// `false_alarms` others for positives.
struct Group {
  int32_t code;
  int positives, champion_finds, version_finds, negatives, false_alarms = 0;
};

Scores scores_of(const std::vector<Group>& groups) {
  Scores out{.threshold = 0.4, .segments = {{}}};
  const auto add = [&](int32_t code, bool label, bool champion, bool version) {
    out.probabilities.push_back(version ? 0.4 : 0.39);  // the threshold itself decides for a positive
    out.labels.push_back(label);
    out.champion.push_back(champion);
    out.segments[0].push_back(code);
  };
  for (const auto& group : groups) {
    for (int i = 0; i < group.positives; ++i)
      add(group.code, true, i < group.champion_finds, i < group.version_finds);
    for (int i = 0; i < group.negatives; ++i)
      add(group.code, false, i < group.false_alarms, i < group.false_alarms);
  }
  return out;
}

const prep::Preparation kRegions{
    .categorical = {
        {.name = "sector", .column = "sector"},
        {.name = "region", .column = "region", .vocabulary = {"busan", "jeju", "seoul"}, .cardinality = 3}}};

table::DatasetSpec spec_with(const std::vector<std::string>& segments) {
  table::DatasetSpec out;
  for (const auto& name : segments) out.columns.push_back({.name = name, .segment = true});
  out.columns.push_back({.name = "sector"});
  return out;
}

store::Document compared(const std::vector<Group>& groups, bool must_be_better = false) {
  registry::ModelVersion champion;
  champion.id = "6b0382005bc2aa2e774eddaa";
  champion.version = "20261101_000000";
  return compare(scores_of(groups), segments_of(spec_with({"region"}), kRegions), kRegions, champion,
                 must_be_better, 1);
}

TEST(Comparison, NamesTheSegmentsOfTheSpecThatTheVersionKnows) {
  const auto found = segments_of(spec_with({"region", "branch"}), kRegions);
  EXPECT_EQ(found.features, std::vector<size_t>{1});
  EXPECT_EQ(found.unknown, std::vector<std::string>{"branch"});
  Settings settings;
  const auto spec = spec_with({}), with = spec_with({"region"});
  EXPECT_FALSE(compares_attempts({settings, spec}));
  EXPECT_TRUE(compares_attempts({settings, with}));
  settings.gate_rule = "lower_bound";
  EXPECT_TRUE(compares_attempts({settings, spec}));
}

TEST(Comparison, HoldsEachSegmentWithEnoughPositivesByItself) {
  // Better in all, worse in jeju; of busan there are too few, and one region is new.
  const auto found = compared({{2, 100, 60, 90, 400, 5},
                               {1, 40, 30, 26, 100},
                               {0, 29, 29, 0, 50},
                               {prep::kUnknownCode, 30, 15, 15, 9}});
  EXPECT_EQ(found["champion_version"], "20261101_000000");
  EXPECT_EQ(found["rows"], 758);
  EXPECT_EQ(found["positives"], 199);
  ASSERT_EQ(found["segments"].size(), 3u);
  EXPECT_EQ(found["small_segments"], 1);
  const auto& unknown = found["segments"][0];
  EXPECT_EQ(unknown["value"], "(unknown)");
  const auto& jeju = found["segments"][1];
  EXPECT_EQ(jeju["value"], "jeju");
  EXPECT_EQ(jeju["column"], "region");
  EXPECT_EQ(jeju["positives"], 40);
  EXPECT_NEAR(jeju["f1_score"].get<double>(), 52.0 / 66, 1e-12);
  EXPECT_NEAR(jeju["champion_f1_score"].get<double>(), 60.0 / 70, 1e-12);
  Settings settings;
  const auto reason = reason_against(found, settings);
  ASSERT_TRUE(reason);
  EXPECT_EQ(*reason,
            "where region is jeju its F1 falls by 0.0693, from 0.8571 to 0.7879 on 40 positives "
            "(MAX_SEGMENT_LOSS 0.05)");
  settings.max_segment_loss = 0.07;
  EXPECT_FALSE(reason_against(found, settings));
  // A loss of just MAX_SEGMENT_LOSS is none.
  settings.max_segment_loss = -jeju["f1_difference"].get<double>();
  EXPECT_FALSE(reason_against(found, settings));
}

TEST(Comparison, AsksForABetterOneByTheWholeInterval) {
  const Settings settings;
  const auto better = compared({{2, 200, 100, 160, 800}}, true);
  EXPECT_FALSE(reason_against(better, settings));
  EXPECT_GT(better["f1_difference_interval"][0].get<double>(), 0);
  for (const int finds : {101, 100, 60}) {
    const auto other = compared({{2, 200, 100, finds, 800}}, true);
    const auto reason = reason_against(other, settings);
    ASSERT_TRUE(reason) << finds;
    EXPECT_NE(reason->find("it is not shown to be better than version 20261101_000000: F1 differs by "),
              std::string::npos)
        << *reason;
  }
  // Of an attempt by GATE_RULE = point the difference is no condition.
  auto worse = compared({{2, 200, 100, 99, 800}});
  EXPECT_FALSE(reason_against(worse, settings));
  const auto few = compared({{2, 1, 1, 1, 800}}, true);
  EXPECT_TRUE(few["f1_difference_interval"].is_null());
  EXPECT_NE(reason_against(few, settings)->find("cannot be compared"), std::string::npos);
}

TEST(Comparison, RefusesWhereASegmentCannotBeSeen) {
  registry::ModelVersion champion;
  auto scores = scores_of({{2, 200, 100, 160, 800}});
  scores.segments.clear();
  const auto found =
      compare(scores, segments_of(spec_with({"branch"}), kRegions), kRegions, champion, false, 1);
  EXPECT_EQ(found["unknown_segments"], store::Document::array({"branch"}));
  EXPECT_NE(reason_against(found, {})->find("the segment column 'branch' is no feature"), std::string::npos);
}

TEST(Comparison, DecidesOnlyWhereF1Passed) {
  Settings settings;
  auto scores = scores_of({{2, 100, 60, 90, 400, 5}, {1, 40, 40, 20, 100}});
  store::Document evaluated = {{"metrics", evaluate_scores(scores, 1, "test").value()},
                               {"comparison", compared({{2, 100, 60, 90, 400, 5}, {1, 40, 40, 20, 100}})}};
  auto judged = judge_evaluated(evaluated, settings);
  EXPECT_EQ(judged.gate, Gate::kFailed);
  EXPECT_NE(failure_text(judged, settings).find("where region is jeju"), std::string::npos);
  EXPECT_EQ(verdict_text(judged, settings), "rejected: " + judged.failure);
  settings.f1_threshold = 0.99;
  judged = judge_evaluated(evaluated, settings);
  EXPECT_EQ(judged.gate, Gate::kFailed);
  EXPECT_EQ(judged.failure, "");
  EXPECT_NE(failure_text(judged, settings).find("< the gate of 0.99"), std::string::npos);
  settings.f1_threshold = 0.5;
  settings.max_segment_loss = 1;
  judged = judge_evaluated(evaluated, settings);
  EXPECT_EQ(judged.gate, Gate::kPassed);
  EXPECT_EQ(verdict_text(judged, settings), "approved");
  settings.approval = "manual";
  EXPECT_EQ(verdict_text(judged, settings), "passed, proposed to a person (APPROVAL = manual)");
  evaluated["fallback"] = true;
  settings.max_segment_loss = 0;
  EXPECT_EQ(judge_evaluated(evaluated, settings).gate, Gate::kNotJudged);
}

}  // namespace
}  // namespace maeil::loop
