// The acts of settings: one for each change, whoever begins first and however many begin together.
#include "loop/run_record.h"

#include <gtest/gtest.h>

#include <thread>

#include "registry/audit.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

struct RunRecord : testing::Test {
  store::TempFolder folder;
  table::DatasetSpec spec;
  Settings settings;

  RunRecord() { spec.name = "rows"; }
  // A run that begins, with a connection of its own.
  void begin(const Settings& with, const std::string& run_id) {
    const auto store = store::open_sqlite(folder / "maeil.db").value();
    dag::RunOptions options;
    options.run_id = run_id;
    const Day day{with, spec};
    const Status described = describe_run(*store, day, options);
    ASSERT_TRUE(described) << described.error().message;
    EXPECT_TRUE(options.program["settings"].is_object());
  }
  std::vector<store::Document> entries() {
    store::FindOptions all;
    all.sort = {{"timestamp", 1}};
    return store::open_sqlite(folder / "maeil.db").value()->find(registry::kAuditLog, all).value();
  }
};

TEST_F(RunRecord, RunsThatBeginTogetherAreOneAct) {
  constexpr int kShards = 6;
  std::vector<std::thread> shards;
  for (int i = 0; i < kShards; ++i) {
    shards.emplace_back([this, i] { begin(settings, "shard " + std::to_string(i)); });
  }
  for (auto& shard : shards) shard.join();
  ASSERT_EQ(entries().size(), 1u);
  EXPECT_TRUE(entries()[0]["from"].is_null());
}

TEST_F(RunRecord, EachChangeIsAnActAndAReturnToEarlierSettingsTheNext) {
  Settings other = settings;
  other.finetune_epochs = 7;
  for (const auto& [with, run] : {std::pair(settings, "a"), std::pair(settings, "b"), std::pair(other, "c"),
                                  std::pair(other, "d"), std::pair(settings, "e"), std::pair(other, "f")}) {
    // the last is known by its time, in milliseconds
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    begin(with, run);
  }
  const auto found = entries();
  ASSERT_EQ(found.size(), 4u);
  const char* runs[] = {"a", "c", "e", "f"};
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i]["run_id"], runs[i]);
  EXPECT_EQ(found[1]["to"], (store::Document{{"FINETUNE_EPOCHS", "7"}}));
  EXPECT_EQ(found[2]["from"], (store::Document{{"FINETUNE_EPOCHS", "7"}}));
}

}  // namespace
}  // namespace maeil::loop
