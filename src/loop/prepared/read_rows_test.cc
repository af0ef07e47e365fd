// Stored rows read back in part, as a shard of a score does and as a retraining attempt does.
#include "loop/prepared/read_rows.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <random>
#include <utility>

#include "loop/prepared/prepare.h"
#include "loop/prepared/store_rows.h"
#include "model/tab_transformer.h"
#include "nn/model.h"
#include "prep/split.h"
#include "store/forwarding_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

model::ModelFile network() {
  return {.predictor = model::TabTransformer::make(
                           nn::initial_parameters({.cardinalities = {1}, .numeric = 1}, 1).value())
                           .value()};
}

TEST(ScoreSplit, AShardTakesItsRawRowsAndReadsNoFurther) {
  const Days date = parse_date("2026-11-23").value();
  const prep::Preparation preparation{
      "rows", {{.name = "grade", .vocabulary = {"a"}, .cardinality = 1}}, {{.name = "amount"}}};
  const model::ModelFile scorer = network();
  store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();

  // Raw rows 0, 1, 3 and 4, one chunk each (2 was set aside); the last is damaged: a code that no model has.
  auto writer = store->write_rows(kRows, partition_of(date, preparation), store::Document::object()).value();
  const int64_t raw_rows[] = {0, 1, 3, 4}, labels[] = {0, 1, 0, 1}, codes[] = {0, 0, 0, 99};
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(writer->append({{"row", std::vector<int64_t>{raw_rows[i]}},
                                {"split", std::vector<std::string>{"test"}},
                                {"grade", std::vector<int64_t>{codes[i]}},
                                {"amount", std::vector<double>{0.5}},
                                {"label", std::vector<int64_t>{labels[i]}}}));
  }
  store::Batch batch;
  batch.publishes.push_back({kRows, partition_of(date, preparation), writer->finish().value()});
  ASSERT_TRUE(store->commit(batch));

  const auto labels_of = [&](uint64_t first, uint64_t rows) {
    return score_split(*store, date, preparation, "test", scorer, {}, first, rows).value().labels;
  };
  EXPECT_EQ(labels_of(0, 2), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(labels_of(1, 2), (std::vector<uint8_t>{1}));
  EXPECT_EQ(labels_of(2, 2), (std::vector<uint8_t>{0}));
  EXPECT_TRUE(labels_of(2, 0).empty());
  EXPECT_FALSE(score_split(*store, date, preparation, "test", scorer, {}, 3, UINT64_MAX));
}

const Days kDate = parse_date("2026-11-23").value();
const prep::Preparation kPreparation{
    "rows", {{.name = "grade", .vocabulary = {"a"}, .cardinality = 1}}, {{.name = "amount"}}};

// Publishes prepared rows that came from these raw rows; every third is not in `test`.
void store_rows(store::Store& store, const std::vector<int64_t>& raw_rows) {
  std::vector<std::string> splits;
  std::vector<double> amounts;
  std::vector<int64_t> labels;
  for (const int64_t row : raw_rows) {
    splits.push_back(row % 3 ? "test" : "fine");
    amounts.push_back(static_cast<double>(row));
    labels.push_back(row % 7 == 0 ? -1 : row % 2);
  }
  auto writer = store.write_rows(kRows, partition_of(kDate, kPreparation)).value();
  ASSERT_TRUE(writer->append({{"row", raw_rows},
                              {"split", splits},
                              {"grade", std::vector<int64_t>(raw_rows.size(), 0)},
                              {"amount", amounts},
                              {"label", labels}}));
  store::Batch batch;
  batch.publishes.push_back({kRows, partition_of(kDate, kPreparation), writer->finish().value()});
  ASSERT_TRUE(store.commit(batch));
}

// Counts what passes.
class CountingStore : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  int reads = 0;
  uint64_t rows = 0;
  std::function<void(store::RowSpan)> before_a_read;
  Status read_rows(std::string_view c, std::string_view p, const std::vector<std::string>& columns,
                   const std::function<Status(const store::RowChunk&)>& visit, store::RowSpan span) override {
    ++reads;
    if (before_a_read) before_a_read(span);
    return below_.read_rows(
        c, p, columns,
        [&](const store::RowChunk& chunk) {
          rows += std::get<0>(chunk[0].values).size();
          return visit(chunk);
        },
        span);
  }
};

TEST(ScoreSplit, EveryRangeIsWhatFilteringAllRowsGives) {
  const auto with = network();
  std::mt19937 random(1);
  for (const int one_in : {1'000'000, 20, 2}) {  // how many raw rows were set aside
    store::TempFolder folder;
    const auto below = store::open_sqlite(folder / "maeil.db").value();
    constexpr uint64_t kRaw = 10'000;
    std::vector<int64_t> raw_rows;
    for (uint64_t row = 0; row < kRaw; ++row) {
      if (random() % static_cast<unsigned>(one_in)) raw_rows.push_back(static_cast<int64_t>(row));
    }
    store_rows(*below, raw_rows);
    CountingStore store(*below);
    std::vector<std::pair<uint64_t, uint64_t>> ranges = {
        {0, UINT64_MAX},          {kRaw - 1, 1}, {kRaw, 5},    {kRaw + 5000, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX}, {0, 1},        {4096, 4096}, {4095, 0}};
    for (int i = 0; i < 30; ++i) ranges.emplace_back(random() % (kRaw + 10), random() % (i % 2 ? 50 : 2000));
    for (const auto& [first, count] : ranges) {
      std::vector<uint8_t> labels;
      uint64_t unlabelled = 0;
      for (const int64_t stored : raw_rows) {
        const auto row = static_cast<uint64_t>(stored);
        if (row < first || row - first >= count || row % 3 == 0) continue;
        if (row % 7)
          labels.push_back(static_cast<uint8_t>(row % 2));
        else
          ++unlabelled;
      }
      store.reads = 0, store.rows = 0;
      const auto scored = score_split(store, kDate, kPreparation, "test", with, {}, first, count);
      ASSERT_TRUE(scored) << scored.error().message;
      EXPECT_EQ(scored->labels, labels) << one_in << ": " << first << " " << count;
      EXPECT_EQ(scored->unlabelled, unlabelled) << one_in << ": " << first << " " << count;
      const int looks = first < 2 * kRaw ? 16 : 64;  // log2 of `first`
      EXPECT_LE(store.reads, looks + 2);
      EXPECT_LE(store.rows, std::min(count, kRaw) + static_cast<uint64_t>(looks) + 2);
    }
  }
}

TEST(ScoreSplit, AShardReadsNoEarlierPieces) {
  store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();
  std::vector<int64_t> raw_rows;
  for (int64_t row = 0; row < 3 * 4096; ++row) {
    if (row % 100) raw_rows.push_back(row);
  }
  store_rows(*store, raw_rows);
  sqlite3* raw = nullptr;  // the first piece's bytes do not match their hash
  ASSERT_EQ(sqlite3_open((folder / "maeil.db").c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, "UPDATE row_pieces SET bytes = zeroblob(length(bytes)) WHERE n = 0", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(raw);
  const auto with = network();
  EXPECT_FALSE(score_split(*store, kDate, kPreparation, "test", with, {}, 0, 100));
  const auto later = score_split(*store, kDate, kPreparation, "test", with, {}, 6000, 300);
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_FALSE(later->labels.empty());
}

TEST(ScoreSplit, RowsThatWereReplacedMeanwhileAreNoAnswer) {
  std::vector<int64_t> all, without, few;
  for (int64_t row = 0; row < 3000; ++row) {
    all.push_back(row);
    if (row < 500 || row >= 700) without.push_back(row);
    if (row < 900) few.push_back(row);
  }
  const auto with = network();
  for (const auto& [before, after] : {std::pair{all, without}, {without, all}, {all, few}}) {
    store::TempFolder folder;
    const auto below = store::open_sqlite(folder / "maeil.db").value();
    store_rows(*below, before);
    CountingStore store(*below);
    bool replaced = false;
    store.before_a_read = [&](store::RowSpan span) {
      if (span.count > 1 && !std::exchange(replaced, true)) store_rows(*below, after);
    };
    const auto scored = score_split(store, kDate, kPreparation, "test", with, {}, 1000, 100);
    ASSERT_FALSE(scored);
    EXPECT_EQ(scored.error().code, ErrorCode::kConflict) << scored.error().message;
  }
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
  batch.publishes.push_back({kRows, partition_of(date, preparation), writer->finish().value()});
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

TEST(PreparedRows, AreOfTheirRawDataAndOfWhatItsValidationLeft) {
  const auto id = [](char c) { return store::id_value(std::string(24, c)); };
  const store::Document raw = {{"_id", id('a')}};
  const Validated all, some{std::string(24, 'b'), std::string(24, 'c')};
  EXPECT_TRUE(are_rows_of({{"raw_data_id", id('a')}}, raw, all));
  EXPECT_TRUE(are_rows_of({{"raw_data_id", id('a')}, {"validation_id", id('b')}}, raw, some));
  EXPECT_FALSE(are_rows_of({{"raw_data_id", id('d')}}, raw, all));
  EXPECT_FALSE(are_rows_of({{"raw_data_id", id('a')}}, raw, some));
  EXPECT_FALSE(are_rows_of({{"raw_data_id", id('a')}, {"validation_id", id('b')}}, raw, all));
  EXPECT_FALSE(are_rows_of({{"raw_data_id", id('a')}, {"validation_id", id('d')}}, raw, some));
}

}  // namespace
}  // namespace maeil::loop
