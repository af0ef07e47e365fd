// Days against the days before them: what is unusual is said once a column, and chance is put up with.
#include "monitor/usual_days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::monitor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A number column, a text column; `k` moves everything a little, as another draw would.
DaySummary day(int k, double mean = 10, double share = 0.3, double missing = 0.02, uint64_t rows = 1000) {
  const double off = 0.01 * (k % 5 - 2);
  table::ColumnSummary number, text;
  number.column = "rate";
  number.missing = missing;
  number.values = rows;
  number.mean = mean + off;
  number.deviation = 2;
  number.quartiles[0] = 8.6 + off, number.quartiles[1] = mean + off, number.quartiles[2] = 11.4 + off;
  text.column = "grade";
  text.values = rows;
  text.shares = {{"A", 1 - share}, {"B", share + off / 10}};
  text.all_shares = true;
  return {rows, rows, 0.1 + off / 10, {number, text}};
}

std::vector<DaySummary> days(int n) {
  std::vector<DaySummary> out;
  for (int k = 0; k < n; ++k) out.push_back(day(k));
  return out;
}

const table::Finding* find(const std::vector<table::Finding>& findings, std::string_view rule) {
  for (const auto& one : findings) {
    if (one.rule == rule) return &one;
  }
  return nullptr;
}

TEST(UsualDays, SaysNothingOfAUsualDayNorBeforeThereAreSeven) {
  EXPECT_THAT(unusual(day(3), days(30)), IsEmpty());
  EXPECT_THAT(unusual(day(3, 50, 0.9, 0.9, 1), days(6)), IsEmpty());
  EXPECT_FALSE(unusual(day(3, 50, 0.9, 0.9, 1), days(7)).empty());
}

TEST(UsualDays, SaysWhatIsMostUnusualOfEachColumn) {
  const auto mean = unusual(day(3, 14), days(10));
  ASSERT_EQ(mean.size(), 1u);
  EXPECT_EQ(mean[0].column, "rate");
  EXPECT_EQ(mean[0].severity, table::Severity::kWarning);
  const auto missing = unusual(day(3, 10, 0.3, 0.5), days(10));
  ASSERT_TRUE(find(missing, "usual_missing"));
  EXPECT_THAT(find(missing, "usual_missing")->message, HasSubstr("50 % of the values are missing"));
  const auto share = unusual(day(3, 10, 0.6), days(10));
  ASSERT_EQ(share.size(), 1u);
  EXPECT_EQ(share[0].column, "grade");
  const auto rows = unusual(day(3, 10, 0.3, 0.02, 400), days(10));
  EXPECT_TRUE(find(rows, "usual_rows"));
  DaySummary other = day(3);
  other.target_rate = 0.4;
  EXPECT_TRUE(find(unusual(other, days(10)), "usual_target_rate"));
  other.target_rate.reset();  // no labels yet
  EXPECT_THAT(unusual(other, days(10)), IsEmpty());
}

TEST(UsualDays, AValueThatWasNeverThereIsUnusual) {
  DaySummary other = day(3);
  other.columns[1].shares = {{"A", 0.6}, {"B", 0.3}, {"C", 0.1}};
  const auto found = unusual(other, days(10));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("'C' is 10 % of the values, usual is 0 %"));
  other.columns[1].shares = {{"A", 0.699}, {"B", 0.3}, {"C", 0.001}};  // one of 1,000 rows
  EXPECT_THAT(unusual(other, days(10)), IsEmpty());
}

TEST(UsualDays, ADocumentGivesTheSameBack) {
  const auto one = day(2);
  const auto document = summary_document(one);
  EXPECT_EQ(summary_document(summary_from(document)), document);
  // What another hand wrote there counts as not told.
  for (const char* text : {"null", "[]", R"({"columns": [1, {"column": 3, "shares": [2, {"share": "x"}]}]})"})
    EXPECT_TRUE(unusual(one, std::vector<DaySummary>(9, summary_from(store::Document::parse(text)))).size() <
                3);
}

}  // namespace
}  // namespace maeil::monitor
