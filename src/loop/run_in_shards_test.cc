// Which part of some work a shard does: the parts of any cut, put together, are what the work makes uncut.
#include "loop/run_in_shards.h"

#include <gtest/gtest.h>

#include <numeric>

#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

constexpr uint64_t kShardedRows = 23, kStep = 3;

// The squares of the rows' numbers, four to a piece; the total is their sum.
class Squares : public RowWork<std::vector<int64_t>, int64_t> {
 public:
  Squares(dag::TaskContext& context, int seed) : context_(context), seed_(seed) {}
  std::vector<RowRange> made;

  Result<int64_t> make(RowRange rows, const Sink& sink) override {
    made.push_back(rows);
    int64_t sum = 0;
    const uint64_t end = std::min(kShardedRows, rows.first + std::min(rows.count, kShardedRows));
    for (uint64_t first = rows.first; first < end; first += 4) {
      std::vector<int64_t> piece;
      for (uint64_t row = first; row < std::min(end, first + 4); ++row)
        piece.push_back(static_cast<int64_t>(row * row));
      sum = std::accumulate(piece.begin(), piece.end(), sum);
      MAEIL_TRY(sink(piece));
    }
    return sum;
  }
  RowCuts cuts() const override { return {kShardedRows, kStep}; }
  Result<store::Document> inputs() const override { return store::Document{{"seed", seed_}}; }
  Status write(const std::vector<int64_t>& piece, PartWriter& part) const override {
    return part.write_frame({{"squares", packed(piece)}});
  }
  PartSummary summary(const int64_t& sum, RowRange rows) const override {
    return {{{"sum", sum}}, fmt::format("{} rows", rows.count)};
  }
  Status read(const store::Document& part, const Sink& sink, int64_t& sum) const override {
    sum += part.value("sum", int64_t{0});
    return read_part_frames(context_, part, [&](const store::Document& frame) -> Status {
      MAEIL_ASSIGN(auto piece, unpacked<int64_t>(frame.at("squares")));
      return sink(piece);
    });
  }

 private:
  dag::TaskContext& context_;
  const int seed_;
};

struct Shards : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> file = must(store::open_sqlite(folder / "maeil.db"));
  std::vector<int64_t> seen;   // by the last finish
  std::vector<RowRange> made;  // by the last shard
  std::string message;         // of the last shard
  int finished = 0;

  Status run(dag::Shard shard, int seed = 1) {
    dag::TaskContext context{*file,
                             parse_date("2026-11-23").value(),
                             "run",
                             "dag",
                             "squares",
                             0,
                             1,
                             shard,
                             [](std::string_view) {},
                             [](std::string_view, uint64_t, uint64_t) {}};
    Squares work(context, seed);
    const auto done = run_in_shards<std::vector<int64_t>, int64_t>(
        context, work, [&](const Squares::Rows& all) -> Result<dag::TaskOutcome> {
          ++finished;
          seen.clear();
          MAEIL_ASSIGN(const int64_t sum, all([&](std::vector<int64_t>& piece) -> Status {
                         seen.insert(seen.end(), piece.begin(), piece.end());
                         return {};
                       }));
          EXPECT_EQ(sum, std::accumulate(seen.begin(), seen.end(), int64_t{0}));
          return dag::TaskOutcome{};
        });
    made = work.made;
    MAEIL_TRY(done);
    message = done->message;
    return file->commit(done->batch);
  }
};

TEST_F(Shards, PutTogetherAreWhatIsMadeUncut) {
  must(run({}));
  const std::vector<int64_t> uncut = seen;
  ASSERT_EQ(uncut.size(), kShardedRows);
  EXPECT_EQ(made, std::vector<RowRange>{kAllRows});
  EXPECT_TRUE(must(file->find(kParts, {})).empty());
  for (const int n : {1, 2, 5, 30}) {
    finished = 0;
    for (int i = n; i >= 1; --i) {
      must(run({i, n}));
      EXPECT_EQ(made, (std::vector<RowRange>{range_of({i, n}, kShardedRows, kStep)}));
      EXPECT_EQ(message, fmt::format("{} rows", made[0].count));
    }
    EXPECT_EQ(finished, 0) << "a part is not all rows";
    if (n == 1) continue;  // merge/1 is the uncut work
    must(run({0, n}));
    EXPECT_TRUE(made.empty()) << "the merging step makes nothing itself";
    EXPECT_EQ(seen, uncut) << n;
    EXPECT_EQ(finished, 1);
  }
}

TEST_F(Shards, OneThatIsMissingOrMadeFromSomethingElseIsNamed) {
  must(run({1, 2}));
  const Status missing = run({0, 2});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound) << missing.error().message;
  EXPECT_TRUE(seen.empty());
  must(run({2, 2}, 7));
  const Status foreign = run({0, 2});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::kConflict) << foreign.error().message;
}

}  // namespace
}  // namespace maeil::loop
