// What of a history is learnt from and what is judged on: no group on both sides, nothing of the newest days,
// no more than the cap.
#include "loop/history_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "store/test_support.h"

namespace maeil::loop {
namespace {

const std::string kColumns = R"(name = "loans"
columns = [ { name = "loan", type = "text" }, { name = "borrower", type = "text" },
            { name = "as_of", type = "date" }, { name = "amount", type = "number" },
            { name = "bad", type = "number" } ]
[target]
column = "bad"
positive = 1
)";

class HistoryRows : public testing::Test {
 protected:
  // 6,000 loans, three of each borrower, over 100 days; every tenth bad, every 50th without a label.
  void SetUp() override {
    std::string csv = "loan,borrower,as_of,amount,bad\n";
    for (int i = 0; i < 6000; ++i) {
      const auto day = parse_date("2024-01-01").value() + std::chrono::days(i * 7 % 100);
      csv += fmt::format("L{},B{},{},{},{}\n", i, i / 3, format_date(day), i,
                         i % 50 == 0 ? "" : std::to_string(i % 10 == 1));
    }
    ASSERT_TRUE(write_file_atomically(path_, csv));
    settings_.test_days = 10;
  }

  Result<History> open(const std::string& roles, uint64_t cap = 1000000) {
    spec_ = table::parse_dataset_spec(kColumns + roles, "loans.toml").value();
    return open_history(
        path_, spec_, settings_, cap,
        {[&](std::string_view line, bool) { said_.emplace_back(line); }, [](uint64_t, uint64_t) {}});
  }

  // The amounts, which number the rows, of each part.
  std::map<Part, std::set<int>> parts(const History& history) {
    std::map<Part, std::set<int>> out;
    const auto read = history.rows.read(
        [&](const Table& chunk, const std::vector<Part>& of) -> Status {
          for (size_t i = 0; i < chunk.rows; ++i)
            out[of[i]].insert(static_cast<int>(chunk.find("amount")->numbers[i]));
          return {};
        },
        {});
    EXPECT_TRUE(read);
    return out;
  }

  static int day_of(int row) { return row * 7 % 100; }

  const store::TempFolder folder_;
  const std::string path_ = (folder_ / "loans.csv").string();
  Settings settings_;
  table::DatasetSpec spec_;
  std::vector<std::string> said_;
};

TEST_F(HistoryRows, NoGroupIsLearntFromAndJudgedOnAndNoNewDayIsLearnt) {
  const auto history = open("[roles]\nid = \"loan\"\ngroup = \"borrower\"\ntime = \"as_of\"\n").value();
  EXPECT_EQ(format_date(*history.newest), "2024-04-09");
  EXPECT_EQ(format_date(*history.out_of_time), "2024-03-31");
  EXPECT_EQ(history.unlabelled, 120u);
  auto found = parts(history);
  std::map<int, std::set<Part>> of_group;
  for (const auto& [part, rows] : found) {
    for (const int row : rows) {
      EXPECT_EQ(day_of(row) >= 90, part == Part::kOutOfTime || part == Part::kLeftOut);
      if (part != Part::kLeftOut) of_group[row / 3].insert(part == Part::kOutOfTime ? Part::kTest : part);
    }
  }
  for (const auto& [group, of] : of_group) EXPECT_EQ(of.size(), 1u) << group;
  EXPECT_NEAR(static_cast<double>(found[Part::kLearn].size()), 0.7 * 5400, 200);
  EXPECT_NEAR(static_cast<double>(found[Part::kTest].size()), 0.15 * 5400, 120);
  EXPECT_NEAR(static_cast<double>(found[Part::kOutOfTime].size()), 0.15 * 600, 40);
  EXPECT_EQ(history.rows.verdicts, (std::vector<Part>{Part::kTest, Part::kOutOfTime}));
  EXPECT_EQ(parts(history), found);  // the same each time
}

TEST_F(HistoryRows, WithoutAGroupAllNewRowsAreOutOfTime) {
  const auto history = open("[roles]\nid = \"loan\"\ntime = \"as_of\"\n").value();
  EXPECT_EQ(parts(history)[Part::kOutOfTime].size(), 600u);
  EXPECT_EQ(parts(history).count(Part::kLeftOut), 0u);
}

TEST_F(HistoryRows, AnIdThatComesAgainIsNotLearntFromAndJudgedOn) {
  const auto history = open("[roles]\nid = \"borrower\"\ntime = \"as_of\"\n").value();
  const auto found = parts(history);
  std::map<int, std::set<Part>> of_id;
  for (const auto& [part, rows] : found) {
    if (part == Part::kLeftOut) continue;
    for (const int row : rows) of_id[row / 3].insert(part == Part::kOutOfTime ? Part::kTest : part);
  }
  for (const auto& [id, of] : of_id) EXPECT_EQ(of.size(), 1u) << id;
}

TEST_F(HistoryRows, RowsOfTheFutureAreLeftOutAndSaid) {
  const auto before = open("[roles]\nid = \"loan\"\ntime = \"as_of\"\n").value();
  std::string csv = read_file(path_).value();
  ASSERT_TRUE(write_file_atomically(path_, csv + "L,B,2205-01-01,6000,1\n"));
  const auto history = open("[roles]\nid = \"loan\"\ntime = \"as_of\"\n").value();
  EXPECT_EQ(history.out_of_time, before.out_of_time);
  EXPECT_EQ(history.labelled, before.labelled);
  EXPECT_EQ(parts(history)[Part::kLeftOut], std::set<int>{6000});
  EXPECT_NE(said_.back().find("1 rows lie after "), std::string::npos) << said_.back();
}

TEST_F(HistoryRows, WithoutATimeThereIsATestAndNoOutOfTimeTest) {
  const auto history = open("").value();
  EXPECT_FALSE(history.out_of_time);
  EXPECT_EQ(history.rows.verdicts, std::vector<Part>{Part::kTest});
  EXPECT_EQ(parts(history).count(Part::kOutOfTime), 0u);
}

TEST_F(HistoryRows, AnOutOfTimeTestThatLeavesTooLittleIsLeftOutAndSaid) {
  settings_.test_days = 60;
  const auto history = open("[roles]\ntime = \"as_of\"\n").value();
  EXPECT_FALSE(history.out_of_time);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("the newest 60 days (TEST_DAYS) hold 35"), std::string::npos) << said_[0];
}

TEST_F(HistoryRows, TheCapTakesFromWhatIsLearntAndNotFromTheTest) {
  const auto all = open("[roles]\nid = \"loan\"\n").value();
  const auto some = open("[roles]\nid = \"loan\"\n", 500).value();
  auto of_all = parts(all), of_some = parts(some);
  EXPECT_EQ(of_some[Part::kTest], of_all[Part::kTest]);
  EXPECT_NEAR(static_cast<double>(of_some[Part::kLearn].size()), 510, 80);
  EXPECT_TRUE(std::ranges::includes(of_all[Part::kLearn], of_some[Part::kLearn]));
  EXPECT_NE(said_.back().find("learns from about 500 of"), std::string::npos);
  EXPECT_EQ(some.rows.note["row_cap"], 500);
}

TEST_F(HistoryRows, WhatIsReadAreTheBytesThatWereLookedAt) {
  const auto history = open("").value();
  const auto before = parts(history);
  ASSERT_TRUE(write_file_atomically(path_, "loan,borrower,as_of,amount,bad\nL,B,2024-01-01,1,1\n"));
  EXPECT_EQ(parts(history), before);
}

}  // namespace
}  // namespace maeil::loop
