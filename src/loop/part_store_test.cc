// Shards: how rows are cut, what a part must be for a merging step to take it, and what a sensor makes of a
// dead worker.
#include "loop/part_store.h"

#include <gtest/gtest.h>

#include "dag/task_record.h"
#include "loop/day.h"
#include "loop/source.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

const Days kPartDate = parse_date("2026-11-23").value();

struct Work {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = must(store::open_sqlite(folder / "maeil.db"));

  dag::TaskContext context(dag::Shard shard) {
    return {*store, kPartDate, "run", "data_pipeline_dag",     "generate_data",
            0,      1,         shard, [](std::string_view) {}, [](std::string_view, uint64_t, uint64_t) {}};
  }
  void make_part(int i, int n, const store::Document& inputs, const std::vector<store::Document>& frames) {
    auto own = context({i, n});
    auto part = must(PartWriter::begin(own));
    for (const auto& frame : frames) ASSERT_TRUE(part.write_frame(frame));
    const auto outcome = must(part.finish(own, inputs, {{"rows", i}}, "done"));
    ASSERT_TRUE(store->commit(outcome.batch));
  }
  void put_record(const char* task, dag::TaskState state, int retries_left,
                  std::optional<Instant> alive_until) {
    const dag::TaskName name{kPartDate, "data_pipeline_dag", task};
    dag::TaskRecord record;
    record.task_id = task;
    record.state = state;
    record.retries_left = retries_left;
    record.alive_until = alive_until;
    store::Document document = {{"_id", store::id_value(dag::record_id(name))}};
    document.update(dag::record_fields(name, record));
    store::Batch batch;
    batch.puts.push_back({dag::kTaskInstances, std::move(document)});
    ASSERT_TRUE(store->commit(batch));
  }
};

TEST(RowRange, TheSharesAreAllRowsInOrderCutAtSteps) {
  for (const uint64_t total : {uint64_t{0}, uint64_t{1}, uint64_t{1023}, uint64_t{1024}, uint64_t{1025},
                               uint64_t{9500}, uint64_t{1} << 40}) {
    for (const uint64_t step : {uint64_t{1}, kSourceRows, uint64_t{1} << 20}) {
      for (const int n : {1, 2, 3, 7, 1000, 65536}) {
        uint64_t next = 0, largest = 0;
        for (int i = 1; i <= n; ++i) {
          const RowRange range = range_of({i, n}, total, step);
          ASSERT_EQ(range.first, next);
          ASSERT_TRUE(range.first % step == 0 || range.first == total);
          next += range.count;
          largest = std::max(largest, range.count);
        }
        ASSERT_EQ(next, total);
        // nobody has much more than a share
        ASSERT_LE(largest, (total / step / static_cast<uint64_t>(n) + 2) * step);
      }
    }
  }
  EXPECT_EQ(range_of({0, 7}, 100, 10).count, 100u);  // the merging step is about all rows
}

TEST(Parts, AreReadBackInOrderWithWhatWasWritten) {
  Work work;
  const store::Document inputs = {{"seed", 42}};
  const std::vector<double> values = {1.5, -0.0, 1e300};
  for (int i = 3; i >= 1; --i)
    work.make_part(i, 3, inputs, {{{"n", i}, {"values", packed(values)}}, {{"n", i * 10}}});
  auto merge = work.context({0, 3});
  const auto parts = must(read_parts(merge, inputs));
  ASSERT_EQ(parts.size(), 3u);
  std::vector<int> seen;
  for (const auto& part : parts) {
    ASSERT_TRUE(read_part_frames(merge, part, [&](const store::Document& frame) -> Status {
      seen.push_back(frame["n"].get<int>());
      if (!frame.contains("values")) return {};
      EXPECT_EQ(must(unpacked<double>(frame["values"])), values);
      return {};
    }));
  }
  EXPECT_EQ(seen, (std::vector<int>{1, 10, 2, 20, 3, 30}));
}

TEST(Parts, OneRunAgainReplacesItsPart) {
  Work work;
  work.make_part(1, 1, {{"seed", 1}}, {});
  work.make_part(1, 1, {{"seed", 2}}, {});
  auto merge = work.context({0, 1});
  EXPECT_EQ(must(read_parts(merge, {{"seed", 2}})).size(), 1u);
  EXPECT_EQ(must(work.store->find(kParts, {})).size(), 1u);
}

TEST(Parts, MissingOrForeignOnesAreRefused) {
  Work work;
  const store::Document inputs = {{"seed", 42}};
  work.make_part(1, 3, inputs, {});
  work.make_part(3, 3, inputs, {});
  work.make_part(2, 4, inputs, {});  // of another cut
  auto merge = work.context({0, 3});
  const auto missing = read_parts(merge, inputs);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("shard 2/3"), std::string::npos) << missing.error().message;
  work.make_part(2, 3, {{"seed", 43}}, {});
  const auto foreign = read_parts(merge, inputs);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::kConflict);
}

TEST(Parts, DamageIsRefusedBeforeMemoryIsTaken) {
  const std::string huge(8, '\xff'), cut("\x09\0\0\0\0\0\0\0abc", 11), no_cbor("\x01\0\0\0\0\0\0\0\xff", 9);
  for (const std::string& bytes : {huge, cut, no_cbor}) {
    Work work;
    auto own = work.context({1, 1});
    auto part = must(PartWriter::begin(own));
    ASSERT_TRUE(part.write(bytes));
    ASSERT_TRUE(work.store->commit(must(part.finish(own, {}, store::Document::object(), "")).batch));
    auto merge = work.context({0, 1});
    const auto parts = must(read_parts(merge, {}));
    const Status read =
        read_part_frames(merge, parts[0], [](const store::Document&) -> Status { return {}; });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  }
  EXPECT_FALSE(unpacked<double>(store::Document::binary({1, 2, 3})));
  EXPECT_FALSE(unpacked<double>("text"));
}

TEST(FailureOf, WaitsForATryToComeAndNotForADeadLastOne) {
  using dag::TaskState;
  const Instant past = now() - std::chrono::seconds{1}, future = now() + std::chrono::hours{1};
  struct Case {
    TaskState state;
    int retries_left;
    std::optional<Instant> alive_until;
    const char* failure;  // null: go on waiting
  };
  const Case cases[] = {
      {TaskState::kRunning, 0, future, nullptr},
      {TaskState::kRunning, 0, std::nullopt, nullptr},
      {TaskState::kRunning, 1, past, nullptr},
      {TaskState::kUpForRetry, 0, past, nullptr},
      {TaskState::kSuccess, 0, past, nullptr},
      {TaskState::kRunning, 0, past, "generate_data: the process of its last try died"},
      {TaskState::kFailed, 0, std::nullopt, "generate_data"},
  };
  for (const Case& c : cases) {
    Work work;
    work.put_record("generate_data", c.state, c.retries_left, c.alive_until);
    const auto failure = must(failure_of(work.context({}), "data_pipeline_dag"));
    EXPECT_EQ(failure.has_value(), c.failure != nullptr) << dag::to_string(c.state);
    if (!failure || !c.failure) continue;
    EXPECT_TRUE(failure->starts_with(c.failure)) << *failure;
  }
}

}  // namespace
}  // namespace maeil::loop
