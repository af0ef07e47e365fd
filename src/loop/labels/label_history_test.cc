// What is known of a label on which day, and by what text a row is named.
#include "loop/labels/label_history.h"

#include <gtest/gtest.h>

#include "loop/labels/labelled_days.h"
#include "loop/labels/no_match.h"

namespace maeil::loop {
namespace {

Days day(int n) { return parse_date("2026-11-01").value() + std::chrono::days(n); }

TEST(LabelHistory, ADaySeesWhatWasKnownOnItAndNothingLater) {
  LabelHistory history;
  const RowKey a = row_key("A"), b = row_key("B"), stranger = row_key("C");
  history.add_row(a, day(0), kNoLabel);
  history.add_row(b, day(0), 1);
  history.add_label(a, day(9), 0);
  history.add_label(a, day(5), 1);  // imported later, known earlier
  history.add_label(b, day(7), 0);
  history.add_label(b, day(7), 1);  // of one day the one that was imported last
  history.add_label(stranger, day(1), 1);
  history.sort();
  const auto labels = [&](RowKey key) {
    std::vector<int> out;
    for (const int n : {0, 4, 5, 8, 9}) out.push_back(history.label(key, day(n)));
    out.push_back(history.label(key, kAlways));
    return out;
  };
  EXPECT_EQ(labels(a), (std::vector{-1, -1, 1, 1, 0, 0}));
  EXPECT_EQ(labels(b), (std::vector{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(history.observed(b, day(8)), day(7));
  EXPECT_EQ(history.observed(b, day(6)), day(0));
  EXPECT_TRUE(history.has_row(a));
  EXPECT_FALSE(history.has_row(stranger));  // its row is not stored
  EXPECT_FALSE(history.has_row(row_key("D")));
  EXPECT_EQ(history.count(day(4)).labelled, 1u);
  EXPECT_EQ(history.count(day(5)).labelled, 2u);
  EXPECT_EQ(history.count(kAlways).rows, 2u);
}

TEST(LabelHistory, ARowThatTheContractSetAsideIsCountedApart) {
  LabelHistory history;
  const RowKey kept = row_key("A"), aside = row_key("B"), twice = row_key("C");
  history.add_row(kept, day(0), kNoLabel);
  history.add_row(aside, day(0), 1, true);
  history.add_row(twice, day(0), kNoLabel);  // of two rows of one id the second
  history.add_row(twice, day(0), kNoLabel, true);
  for (const RowKey key : {kept, aside, twice}) history.add_label(key, day(3), 1);
  history.sort();
  EXPECT_TRUE(history.has_row(aside));
  EXPECT_TRUE(history.is_set_aside(aside));
  EXPECT_FALSE(history.is_set_aside(kept));
  EXPECT_FALSE(history.is_set_aside(twice));
  EXPECT_FALSE(history.is_set_aside(row_key("D")));
  const auto counts = history.count(kAlways);
  EXPECT_EQ(counts.rows, 2u);
  EXPECT_EQ(counts.labelled, 2u);
  EXPECT_EQ(counts.set_aside, 1u);
}

Column texts(const char* name, std::vector<std::string> dictionary, std::vector<uint32_t> codes) {
  return {name, ColumnType::kText, std::move(codes), std::move(dictionary), {}};
}

TEST(RowIds, AreOneTextWhateverTheIdsAreMadeOf) {
  const auto spec = table::parse_dataset_spec(R"(name = "small"
columns = [ { name = "loan", type = "text" }, { name = "as_of", type = "date" },
            { name = "bad", type = "text" } ]
target = { column = "bad", positive = "Y" }
roles = { id = ["loan", "as_of"] }
)",
                                              "small.toml")
                        .value();
  Table chunk;
  chunk.rows = 4;
  chunk.columns = {texts("loan", {"a", "a,b"}, {0, 1, 0, kMissing}),
                   texts("as_of", {"2026-11-01", "20261101", "soon"}, {0, 1, 2, 0})};
  const RowIds ids(spec, spec.roles.id, chunk);
  std::string id;
  ASSERT_TRUE(ids.text(0, 0, id));
  EXPECT_EQ(id, "a,2026-11-01");
  ASSERT_TRUE(ids.text(1, 1, id));
  EXPECT_EQ(id, "\"a,b\",2026-11-01");
  ASSERT_TRUE(ids.text(2, 2, id));
  EXPECT_EQ(id, "a,soon");
  EXPECT_FALSE(ids.text(3, 3, id));
  ASSERT_TRUE(RowIds(spec, {}, chunk).text(3, 7, id));
  EXPECT_EQ(id, "7");
}

TEST(Ids, AreToldByTheirShapeAlone) {
  EXPECT_EQ(shape_of("M310"), "A999");
  EXPECT_EQ(shape_of("loan-7,2026-11-01"), "AAAA-9,9999-99-99");
  EXPECT_EQ(shape_of("한1"), "A9");
  EXPECT_EQ(shape_of(std::string(50, '7')), std::string(40, '9') + "...");
}

TEST(LabelledDays, AreToldInFewWords) {
  EXPECT_EQ(describe_dates({day(0)}), "2026-11-01");
  EXPECT_EQ(describe_dates({day(0), day(3), day(4)}), "3 days, 2026-11-01 to 2026-11-05");
  EXPECT_EQ(dates_of({{"days", date_texts({day(0), day(3)})}}, "days").value(),
            (std::vector{day(0), day(3)}));
  EXPECT_EQ(dates_of({{"days", {"nonsense"}}}, "days").error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::loop
