// Alerts are counted once, whoever counts, and after whatever crash.
#include "alerting/count_alerts.h"

#include <gtest/gtest.h>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::alerting {
namespace {

struct CountAlerts : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();
  const Counting counting{.dataset = "loans", .model = "m", .patience = {7, 2}, .holder = "test"};

  std::string put(const std::string& collection, store::Document document) {
    const std::string id = store::new_object_id(now());
    document["_id"] = store::id_value(id);
    store::Batch batch;
    batch.puts.push_back({collection, std::move(document)});
    EXPECT_TRUE(store->commit(batch));
    return id;
  }
  std::string alert(const std::string& date, const std::string& rule = "MODEL_PERFORMANCE_FAILURE") {
    return put(kAlerts, {{"logical_date", date},
                         {"alert_type", rule},
                         {"severity", "CRITICAL"},
                         {"message", "bad on " + date},
                         {"model_id", "6b0382005bc2aa2e774eddaa"}});
  }
  void scored(const std::string& date) { put("predictions", {{"logical_date", date}, {"rows", 1}}); }
  std::vector<std::string> rings() {
    std::vector<std::string> out;
    const auto counted = count_alerts(*store, counting);
    EXPECT_TRUE(counted);
    for (const auto& told : *counted)
      out.push_back(std::string(to_string(told.ring)) + " " + told.state.rule);
    return out;
  }
};

using Rings = std::vector<std::string>;

TEST_F(CountAlerts, OnceEachHoweverOften) {
  alert("2026-11-01");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  EXPECT_EQ(rings(), Rings{});
  alert("2026-11-02");
  alert("2026-11-02", "DATA_CONTRACT_BROKEN");
  EXPECT_EQ(rings(), Rings{"opened DATA_CONTRACT_BROKEN"});
  const auto states = list_states(*store).value();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(find_state(*store, "MODEL_PERFORMANCE_FAILURE")->count, 2);
  EXPECT_EQ(find_state(*store, state_id(states[0]).substr(0, 8))->rule, states[0].rule);
  EXPECT_EQ(find_state(*store, "NOBODY").error().code, ErrorCode::kNotFound);
}

TEST_F(CountAlerts, ResolvesByDatesThatWereScoredWithoutIt) {
  alert("2026-11-01");
  scored("2026-11-01");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  scored("2026-11-02");
  scored("2026-11-02");  // again
  EXPECT_EQ(rings(), Rings{});
  scored("2026-11-09");  // the next one, whatever lies between
  EXPECT_EQ(rings(), Rings{"resolved MODEL_PERFORMANCE_FAILURE"});
  EXPECT_EQ(rings(), Rings{});
}

TEST_F(CountAlerts, WhatWasTakenBackIsNotCounted) {
  const std::string id = alert("2026-11-01");
  store::Batch batch;
  batch.sets.push_back({kAlerts, id, {{"superseded_by", store::id_value(store::new_object_id(now()))}}});
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(rings(), Rings{});
}

TEST_F(CountAlerts, AStoreOfBeforeRingsForItsNewestDateAlone) {
  for (const char* date : {"2025-03-01", "2026-10-01", "2026-11-01"}) alert(date);
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  EXPECT_EQ(find_state(*store, "MODEL_PERFORMANCE_FAILURE")->count, 1);
  EXPECT_EQ(rings(), Rings{});
}

TEST_F(CountAlerts, WhoeverHoldsTheLockCountsForTheOthers) {
  alert("2026-11-01");
  {
    const auto lock = store->lock("alerts", "another").value();
    EXPECT_EQ(rings(), Rings{});
  }
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
}

TEST_F(CountAlerts, APersonsActOfAStateThatChangedIsRefused) {
  alert("2026-11-01");
  rings();
  const auto before = find_state(*store, "MODEL_PERFORMANCE_FAILURE").value();
  alert("2026-11-02");
  rings();
  AlertState after = before;
  ASSERT_TRUE(acknowledge(after, {"kim", ""}));
  const store::Batch::Put entry{"audit_log", {{"_id", store::id_value(store::new_object_id(now()))}}};
  EXPECT_EQ(save_state(*store, before, after, entry).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(store->find("audit_log", {})->empty());
  after = find_state(*store, "MODEL_PERFORMANCE_FAILURE").value();
  const auto read = after;
  ASSERT_TRUE(acknowledge(after, {"kim", ""}));
  EXPECT_TRUE(save_state(*store, read, after, entry));
  EXPECT_EQ(find_state(*store, "MODEL_PERFORMANCE_FAILURE")->standing, Standing::kAcknowledged);
}

TEST_F(CountAlerts, ADamagedAlertOrStateIsNamed) {
  const std::string id = put(kAlerts, {{"logical_date", "soon"}, {"alert_type", "X"}});
  const auto counted = count_alerts(*store, counting);
  ASSERT_FALSE(counted);
  EXPECT_NE(counted.error().message.find(id), std::string::npos) << counted.error().message;
  put(kStates, {{"state", "open"}});
  EXPECT_EQ(list_states(*store).error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::alerting
