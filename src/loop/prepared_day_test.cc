// Stored rows read back in part, as a shard of a score does and as a retraining attempt does.
#include "loop/prepared_day.h"

#include <gtest/gtest.h>

#include "loop/prepare_rows.h"
#include "nn/model.h"
#include "prep/split.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

TEST(ScoreSplit, AShardTakesItsRawRowsAndReadsNoFurther) {
  const Days date = parse_date("2026-11-23").value();
  const prep::Preparation preparation{"rows", {{.name = "grade", .vocabulary = {"a"}, .cardinality = 1}}, {{.name = "amount"}}};
  const auto scorer = nn::Scorer::make(nn::initial_parameters({.cardinalities = {1}, .numeric = 1}, 1).value()).value();
  store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();

  // Raw rows 0, 1, 3 and 4, one chunk each (2 was set aside); the last is damaged: a code that no model has.
  auto writer = store->write_rows(kRows, partition_of(date, preparation), store::Document::object()).value();
  const int64_t raw_rows[] = {0, 1, 3, 4}, labels[] = {0, 1, 0, 1}, codes[] = {0, 0, 0, 99};
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(writer->append({{"row", std::vector<int64_t>{raw_rows[i]}}, {"split", std::vector<std::string>{"test"}},
                                {"grade", std::vector<int64_t>{codes[i]}}, {"amount", std::vector<double>{0.5}}, {"label", std::vector<int64_t>{labels[i]}}}));
  }
  store::Batch batch;
  batch.publishes.push_back({kRows, partition_of(date, preparation), writer->finish().value()});
  ASSERT_TRUE(store->commit(batch));

  const auto labels_of = [&](uint64_t first, uint64_t rows) { return score_split(*store, date, preparation, "test", scorer, first, rows).value().labels; };
  EXPECT_EQ(labels_of(0, 2), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(labels_of(1, 2), (std::vector<uint8_t>{1}));
  EXPECT_EQ(labels_of(2, 2), (std::vector<uint8_t>{0}));
  EXPECT_TRUE(labels_of(2, 0).empty());
  EXPECT_FALSE(score_split(*store, date, preparation, "test", scorer, 3, UINT64_MAX));
}

TEST(ReadFine, KeepsAFifthForChoosingAndLeavesOutRowsWithoutALabel) {
  const Days date = parse_date("2026-11-23").value();
  const prep::Preparation preparation{
      "rows", {{.name = "grade", .vocabulary = {"a"}, .cardinality = 1}}, {{.name = "amount"}}};
  store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();
  constexpr int64_t kCount = 2000;
  std::vector<int64_t> rows, codes(kCount), labels;
  std::vector<std::string> splits;
  std::vector<double> amounts;
  for (int64_t i = 0; i < kCount; ++i) {
    rows.push_back(3 * i);
    splits.push_back(i % 2 ? "fine" : "test");
    labels.push_back(i % 10 == 1 ? -1 : i % 4 == 3);  // no label in a fifth of `fine`
    amounts.push_back(static_cast<double>(3 * i));
  }
  auto writer = store->write_rows(kRows, partition_of(date, preparation), store::Document::object()).value();
  ASSERT_TRUE(writer->append(
      {{"row", rows}, {"split", splits}, {"grade", codes}, {"amount", amounts}, {"label", labels}}));
  store::Batch batch;
  batch.publishes.push_back(
      {kRows, partition_of(date, preparation), writer->finish().value()});
  ASSERT_TRUE(store->commit(batch));

  const auto fine = read_fine(*store, date, preparation, 42).value();
  EXPECT_EQ(fine.unlabelled, kCount / 10u);
  EXPECT_EQ(fine.learn.rows() + fine.validation.rows() + fine.unlabelled, kCount / 2u);
  EXPECT_NEAR(static_cast<double>(fine.validation.rows()), 0.2 * 0.8 * kCount / 2, 60);
  for (const float row : fine.validation.numbers)
    EXPECT_TRUE(prep::is_validation(42, date, static_cast<uint64_t>(row)));
  for (const float row : fine.learn.numbers)
    EXPECT_FALSE(prep::is_validation(42, date, static_cast<uint64_t>(row)));
  const auto sizes = split_sizes(*store, date, preparation, 42).value();
  EXPECT_EQ(sizes.fine, kCount / 2);
  EXPECT_EQ(sizes.test, kCount / 2);
  EXPECT_GE(sizes.validation, static_cast<int64_t>(fine.validation.rows()));
}

}  // namespace
}  // namespace maeil::loop
