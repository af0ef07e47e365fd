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
  // Over after two dates with a verdict that is no alert.
  Counting counting{.dataset = "loans",
                    .model = "m",
                    .patience = {7},
                    .holder = "test",
                    .is_over = [this](const AlertState& state, bool) -> Result<bool> {
                      store::FindOptions later;
                      later.filter = {{"logical_date", {{"$gt", format_date(state.last_seen)}}},
                                      {"status", "approved"}};
                      return store->find("evaluation_events", later)->size() >= 2;
                    }};

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
  void good(const std::string& date) {
    put("evaluation_events", {{"logical_date", date}, {"status", "approved"}});
    counting.newest = parse_date(date).value();
  }
  void take_back(const std::string& id) {
    store::Batch batch;
    batch.sets.push_back({kAlerts, id, {{"superseded_by", store::id_value(store::new_object_id(now()))}}});
    ASSERT_TRUE(store->commit(batch));
  }
  AlertState state() { return find_state(*store, "MODEL_PERFORMANCE_FAILURE").value(); }
  std::vector<std::string> rings() {
    std::vector<std::string> out;
    const auto counted = count_alerts(*store, counting);
    EXPECT_TRUE(counted && counted->warnings.empty());
    for (const auto& told : counted->told)
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

TEST_F(CountAlerts, WhyItHappenedIsKeptWithEachAndTheStateHasTheLast) {
  counting.diagnose = [](const store::Document& alert) -> Result<Diagnosis> {
    const std::string date = alert.at("logical_date").get<std::string>();
    if (date == "2026-11-03") return bad_input("a document is damaged");
    return Diagnosis{std::nullopt, "cause of " + date, {"change"}, {"command"}};
  };
  const std::string first = alert("2026-11-01");
  rings();
  EXPECT_EQ(state().diagnosis.cause, "cause of 2026-11-01");
  alert("2026-11-02");
  rings();
  EXPECT_EQ(state().diagnosis.cause, "cause of 2026-11-02");
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(first)}};
  EXPECT_EQ(store->find_one(kAlerts, by_id)->at("diagnosis").at("cause"), "cause of 2026-11-01");
  // What rings is worth more than why.
  alert("2026-11-03", "DATA_CONTRACT_BROKEN");
  const auto counted = count_alerts(*store, counting);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->told.size(), 1u);
  ASSERT_EQ(counted->warnings.size(), 1u);
  EXPECT_NE(counted->warnings[0].find("a document is damaged"), std::string::npos);
}

// As a maeil without diagnoses wrote it.
TEST_F(CountAlerts, AStateOfAnOlderMaeilIsCountedOn) {
  alert("2026-11-01");
  rings();
  auto old = store->find_one(kStates, {}).value();
  old.erase("diagnosis");
  store::Batch batch;
  batch.puts.push_back({kStates, old});
  ASSERT_TRUE(store->commit(batch));
  alert("2026-11-02");
  EXPECT_EQ(rings(), Rings{});
  EXPECT_EQ(state().count, 2);
  good("2026-11-03"), good("2026-11-04");
  EXPECT_EQ(rings(), Rings{"resolved MODEL_PERFORMANCE_FAILURE"});
}

// Whenever it began, a store without older alerts has no history.
TEST_F(CountAlerts, AMarkOfHistoryOnlyWhereThereIsSome) {
  alert("2026-11-02");
  good("2026-11-02");
  rings();
  const auto marks = store->find("alert_counting", {}).value();
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_TRUE(marks[0].at("history_before").is_null());
}

TEST_F(CountAlerts, IsResolvedWhenItsRuleSaysSo) {
  alert("2026-11-01");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  good("2026-11-02");
  EXPECT_EQ(rings(), Rings{});
  good("2026-11-09");  // the next one, whatever lies between
  EXPECT_EQ(rings(), Rings{"resolved MODEL_PERFORMANCE_FAILURE"});
  EXPECT_EQ(state().resolved_on, parse_date("2026-11-09").value());
  EXPECT_EQ(rings(), Rings{});
}

TEST_F(CountAlerts, WhatWasTakenBackCountsNoMore) {
  take_back(alert("2026-11-01"));  // before anybody counted it
  EXPECT_EQ(rings(), Rings{});
  alert("2026-11-02");
  const std::string third = alert("2026-11-03");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  // The second one is done again, twice, and is what it was.
  for (int i = 0; i < 2; ++i) {
    store::FindOptions of;
    of.filter = {{"logical_date", "2026-11-02"}, {"superseded_by", {{"$exists", false}}}};
    take_back(store::id_text(store->find_one(kAlerts, of)->at("_id")));
    alert("2026-11-02");
    EXPECT_EQ(rings(), Rings{});
  }
  EXPECT_EQ(state().count, 2);
  take_back(third);
  EXPECT_EQ(rings(), Rings{});
  EXPECT_EQ(state().count, 1);
  EXPECT_EQ(state().last_seen, parse_date("2026-11-02").value());
  store::FindOptions of;
  of.filter = {{"logical_date", "2026-11-02"}, {"superseded_by", {{"$exists", false}}}};
  take_back(store::id_text(store->find_one(kAlerts, of)->at("_id")));
  alert("2026-11-02", "ANOTHER");
  take_back(store::id_text(store->find_one(kAlerts, {{{"alert_type", "ANOTHER"}}})->at("_id")));
  EXPECT_EQ(rings(), Rings{"resolved MODEL_PERFORMANCE_FAILURE"});
}

TEST_F(CountAlerts, ABackfilledTroubleThatIsOverRingsNothing) {
  for (const char* date : {"2026-11-02", "2026-11-03"}) good(date);
  alert("2026-11-03", "ANOTHER");
  EXPECT_EQ(rings(), Rings{"opened ANOTHER"});
  alert("2026-11-01");
  EXPECT_EQ(rings(), Rings{});
  EXPECT_EQ(state().standing, Standing::kResolved);
}

TEST_F(CountAlerts, ADateThatTurnsGoodAndBadAgainRingsAgain) {
  const std::string first = alert("2026-11-01");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  take_back(first);
  EXPECT_EQ(rings(), Rings{"resolved MODEL_PERFORMANCE_FAILURE"});
  alert("2026-11-01");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
}

// The first alert of a store of now, which nobody could count on its day.
TEST_F(CountAlerts, WhatWasNotCountedInTimeIsCountedLater) {
  good("2026-10-31");
  EXPECT_EQ(rings(), Rings{});
  alert("2026-11-01");
  Counting broken = counting;
  broken.channels = [](std::string_view) -> Result<std::vector<std::string>> { return usage_error("wrong"); };
  EXPECT_EQ(count_alerts(*store, broken)->warnings, Rings{"wrong"});
  good("2026-11-02");
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
}

TEST_F(CountAlerts, AStoreOfBeforeRingsForItsNewestDateAlone) {
  good("2026-11-01");
  for (const char* date : {"2025-03-01", "2026-10-01", "2026-11-01", "2026-11-02"}) alert(date);
  EXPECT_EQ(rings(), Rings{"opened MODEL_PERFORMANCE_FAILURE"});
  EXPECT_EQ(state().count, 2);
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
  EXPECT_EQ(save_state(*store, before, after, Ring::kAcknowledged, {"pagerduty"}, entry).error().code,
            ErrorCode::kConflict);
  EXPECT_TRUE(store->find("audit_log", {})->empty());
  after = find_state(*store, "MODEL_PERFORMANCE_FAILURE").value();
  const auto read = after;
  ASSERT_TRUE(acknowledge(after, {"kim", ""}));
  EXPECT_TRUE(save_state(*store, read, after, Ring::kAcknowledged, {"pagerduty"}, entry));
  EXPECT_EQ(find_state(*store, "MODEL_PERFORMANCE_FAILURE")->standing, Standing::kAcknowledged);
  const auto told = store->find("alert_deliveries", {}).value();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["message"]["event"], "acknowledged");
}

TEST_F(CountAlerts, WhatIsDamagedIsNamedAndHoldsUpNothing) {
  const std::string dated = put(kAlerts, {{"logical_date", "soon"}, {"alert_type", "X"}}),
                    untyped = put(kAlerts, {{"logical_date", "2026-11-01"}});
  alert("2026-11-01");
  const auto counted = count_alerts(*store, counting);
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->told.size(), 1u);
  ASSERT_EQ(counted->warnings.size(), 2u);
  for (const auto& id : {dated, untyped}) {
    EXPECT_TRUE(counted->warnings[0].find(id) != std::string::npos ||
                counted->warnings[1].find(id) != std::string::npos);
  }
  // A damaged state, too.
  put(kStates, {{"state", "open"}});
  alert("2026-11-01", "ANOTHER");
  EXPECT_EQ(count_alerts(*store, counting)->told.size(), 1u);
  EXPECT_EQ(list_states(*store).error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::alerting
