// The registry's rules on a small store: names, statuses and who changed them, what a hostile document is
// told, what was deployed before.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "registry/audit.h"
#include "registry/status.h"
#include "registry/version_names.h"
#include "registry/versions.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::registry {
namespace {

using store::Document;

class Registry : public testing::Test {
 protected:
  // A version of this status; the n-th of the store.
  ModelVersion add(const std::string& status, const char* model = kClassifier) {
    NewVersion version;
    version.id = store::new_object_id(now());
    version.model_name = model;
    version.version = fmt::format("20261123_{:06}", ++count_);
    version.file_id = store::new_object_id(now());
    version.notes = "made for a test";
    Document document = make_version_document(version, now());
    document["status"] = status;
    put(document);
    return read(version.id);
  }
  void put(const Document& document) {
    store::Batch batch;
    batch.puts.push_back({kCollection, document});
    ASSERT_TRUE(store_->commit(batch));
  }
  ModelVersion read(const std::string& id) { return find_version(*store_, id).value(); }
  Status change(const ModelVersion& version, StatusChange to) {
    store::Batch batch;
    if (to.run_id.empty()) to.run_id = "run";
    MAEIL_TRY(change_status(version, to, now(), batch));
    return store_->commit(batch);
  }
  // As deploy() changes the statuses, at any time.
  void deploy(const std::string& id, Instant when) {
    store::Batch batch;
    const auto before = deployed_version(*store_).value();
    if (before) {
      ASSERT_TRUE(change_status(*before, {.status = "retired"}, when, batch));
    }
    ASSERT_TRUE(
        change_status(read(id), {.status = "deployed", .replaced = before ? before->id : ""}, when, batch));
    ASSERT_TRUE(store_->commit(batch));
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
  int count_ = 0;
};

TEST_F(Registry, NamesAreTakenOnceEachWhoeverAsks) {
  constexpr int kThreads = 8;
  const Instant instant = now();
  std::vector<std::string> names(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      auto own = store::open_sqlite(folder_ / "maeil.db").value();
      auto name = take_version_name(*own, fmt::format("owner {}", t), instant);
      names[static_cast<size_t>(t)] = name ? *name : name.error().message;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), static_cast<size_t>(kThreads))
      << names[0];
  for (const auto& name : names) EXPECT_TRUE(is_version_name(name)) << name;
  for (int t = 0; t < kThreads; ++t) {  // a try that is repeated, a day later
    EXPECT_EQ(
        take_version_name(*store_, fmt::format("owner {}", t), instant + std::chrono::hours(24)).value(),
        names[static_cast<size_t>(t)]);
  }
}

TEST_F(Registry, NamesOfTheDocumentsThatAreThereAreTaken) {
  const Instant instant = parse_instant("2026-11-23T00:00:01Z").value();
  add("registered");  // 20261123_000001, by whoever
  store::Batch old;   // as maeil wrote it before: named after its owner
  old.puts.push_back({kNames,
                      {{"_id", store::id_value(store::task_object_id("old owner", kNames, 0))},
                       {"model_version", "20261123_000002"},
                       {"taken_by", "old owner"}}});
  ASSERT_TRUE(store_->commit(old));
  EXPECT_EQ(take_version_name(*store_, "new", instant).value(), "20261123_000003");
  EXPECT_EQ(take_version_name(*store_, "old owner", instant).value(), "20261123_000002");
}

TEST_F(Registry, AChangeOfWhatWasChangedMeanwhileIsRefused) {
  const auto read_early = add("approved");
  ASSERT_TRUE(change(read_early, {.status = "deployed"}));
  const Status refused = change(read_early, {.status = "approved"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(read(read_early.id).status, "deployed");
  const auto what = changed_meanwhile(*store_, read_early).value();
  ASSERT_TRUE(what);
  EXPECT_NE(what->find("was approved when this command read it and is deployed now"), std::string::npos)
      << *what;
  EXPECT_FALSE(changed_meanwhile(*store_, read(read_early.id)).value());
}

TEST_F(Registry,
       OfTwoEqualChangesAtOnceOneCounts) {  // from one status to the same: the history tells them apart
  const auto version = add("approved");
  ASSERT_TRUE(change(version, {.status = "approved", .note = "a"}));
  EXPECT_FALSE(change(version, {.status = "approved", .note = "b"}));
  EXPECT_EQ(read(version.id).document["status_history"].size(), 2u);
}

TEST_F(Registry, HistoryKeepsEverythingAndNothingElseChanges) {
  const auto version = add("registered");
  ASSERT_TRUE(change(
      version,
      {.status = "rejected", .run_id = "r1", .note = "F1 Score: 0.7011", .metrics = {{"f1_score", 0.7011}}}));
  ASSERT_TRUE(change(
      read(version.id),
      {.status = "approved", .run_id = "r2", .note = "F1 Score: 0.8", .metrics = {{"f1_score", 0.8}}}));
  ASSERT_TRUE(change(read(version.id), {.status = "deployed", .run_id = "r3"}));
  const Document now_says = read(version.id).document;
  EXPECT_EQ(now_says["notes"], "F1 Score: 0.8");
  EXPECT_EQ(now_says["metrics"]["f1_score"], 0.8);
  const Document& history = now_says["status_history"];
  ASSERT_EQ(history.size(), 4u);
  EXPECT_EQ(history[0]["note"], "made for a test");
  EXPECT_EQ(history[1]["note"], "F1 Score: 0.7011");
  EXPECT_EQ(history[1]["metrics"]["f1_score"], 0.7011);
  EXPECT_EQ(history[1]["run_id"], "r1");
  EXPECT_EQ(history[3]["status"], "deployed");
  EXPECT_TRUE(history[3]["at"].contains("$date"));
  for (const auto& [name, value] : version.document.items()) {
    if (name == "status" || name == "notes" || name == "metrics" || name == "updated_at" ||
        name == "status_history")
      continue;
    EXPECT_EQ(now_says[name], value) << name;
  }
}

TEST_F(Registry, AVersionWithoutHistoryKeepsWhatItSaid) {
  const std::string id = store::new_object_id(now());
  put({{"_id", store::id_value(id)},
       {"model_name", kClassifier},
       {"model_version", "20250101_000000"},
       {"status", "approved"},
       {"notes", "the Python project's"}});
  ASSERT_TRUE(change(read(id), {.status = "rejected", .note = "new"}));
  const Document history = read(id).document["status_history"];
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0]["status"], "approved");
  EXPECT_EQ(history[0]["note"], "the Python project's");
  EXPECT_EQ(history[1]["status"], "rejected");
}

TEST_F(Registry, AnEncoderIsNeitherApprovedNorDeployed) {
  const auto encoder = add("registered", kEncoder), wrong = add("approved", kEncoder);
  for (const auto& [version, status] : {std::pair(encoder, "approved"), std::pair(wrong, "deployed")}) {
    const Status refused = change(version, {.status = status});
    ASSERT_FALSE(refused) << status;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_NE(refused.error().message.find("is an encoder"), std::string::npos) << refused.error().message;
  }
}

TEST_F(Registry, ASupersededVersionComesIntoForceNoMore) {
  const auto supersede = [&](const ModelVersion& version) {
    Document document = version.document;
    document["superseded_by"] = store::id_value(store::new_object_id(now()));
    put(document);
  };
  for (const char* status : {"registered", "approved"}) {
    const auto good = add(status), superseded = add(status);
    EXPECT_EQ(model_in_force(*store_).value()->id, superseded.id) << status;
    supersede(superseded);
    EXPECT_EQ(model_in_force(*store_).value()->id, good.id) << status;
    supersede(good);
    EXPECT_FALSE(model_in_force(*store_).value()) << status;
  }
  const auto deployed = add("deployed");
  supersede(deployed);
  add("approved");
  EXPECT_EQ(model_in_force(*store_).value()->id, deployed.id);
  EXPECT_EQ(deployed_version(*store_).value()->id, deployed.id);
}

TEST_F(Registry, WhatAVerdictChanges) {
  const std::set<std::string> open = {"registered", "approved", "rejected", "candidate"};
  for (const char* status : {"registered", "approved", "rejected", "deployed", "retired", "candidate"}) {
    ModelVersion version;
    version.status = status;
    using Change = std::optional<std::string>;
    const bool first = status == std::string("registered");
    EXPECT_EQ(status_after_verdict(version, Judged::kInForce, true), first ? Change("approved") : Change())
        << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kInForce, false), Change()) << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kAttempt, true),
              open.contains(status) ? Change("approved") : Change())
        << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kAttempt, false),
              open.contains(status) ? Change("rejected") : Change())
        << status;
    // Where a person approves, a pass proposes; what was approved stays that, and the model in force what it
    // is.
    const bool is_new = status == std::string("registered") || status == std::string("rejected");
    EXPECT_EQ(status_after_verdict(version, Judged::kAttempt, true, Approval::kManual),
              is_new ? Change("candidate") : Change())
        << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kInForce, true, Approval::kManual), Change()) << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kAttempt, false, Approval::kManual),
              open.contains(status) ? Change("rejected") : Change())
        << status;
    EXPECT_EQ(waits_for_approval(version),
              status == std::string("registered") || status == std::string("candidate"));
    // Not judged is not failed.
    EXPECT_EQ(status_after_verdict(version, Judged::kInForce, std::nullopt), Change()) << status;
    EXPECT_EQ(status_after_verdict(version, Judged::kAttempt, std::nullopt),
              first ? Change("rejected") : Change())
        << status;
  }
}

// Three deployments whose clocks say the opposite order, or all the same.
TEST_F(Registry, WhatWasDeployedBeforeIsNoMatterOfClocks) {
  for (const int step : {-3600, 0, 3600}) {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(add("approved").id);
    Instant when = now();
    for (const auto& id : ids) {
      deploy(id, when);
      store::Batch event;  // the event that goes with it, at the same wrong time
      event.puts.push_back({"deployment_events",
                            {{"_id", store::id_value(store::new_object_id(now()))},
                             {"event_type", "model_deployed"},
                             {"model_id", id},
                             {"status", "deployed"},
                             {"timestamp", store::date_value(when)}}});
      ASSERT_TRUE(store_->commit(event));
      when += std::chrono::seconds(step);
    }
    EXPECT_EQ(previous_deployment(*store_).value().id, ids[1]) << step;
    deploy(ids[1], when);  // a rollback
    EXPECT_EQ(previous_deployment(*store_).value().id, ids[2]) << step;
  }
}

TEST_F(Registry, TheFirstDeploymentReplacedNothing) {
  deploy(add("approved").id, now());
  const auto none = previous_deployment(*store_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST_F(Registry, DeploymentsOfBeforeVersionsHadHistoriesGoByTheirEvents) {
  std::vector<std::string> ids;
  for (const char* status : {"retired", "retired", "deployed"}) {
    Document document = add(status).document;
    document.erase("status_history");
    put(document);
    ids.push_back(store::id_text(document["_id"]));
    store::Batch event;
    event.puts.push_back({"deployment_events",
                          {{"_id", store::id_value(store::new_object_id(now()))},
                           {"event_type", "model_deployed"},
                           {"model_id", ids.back()},
                           {"status", "deployed"},
                           {"timestamp", store::date_value(now() + std::chrono::seconds(count_))}}});
    ASSERT_TRUE(store_->commit(event));
  }
  EXPECT_EQ(previous_deployment(*store_).value().id, ids[1]);
}

// What a document may say that is no version, and which field the sentence must name.
TEST_F(Registry, HostileDocumentsAreNamed) {
  const Document good = add("registered").document;
  const std::pair<const char*, const char*> cases[] = {{"model_version", R"("/tmp/x")"},
                                                       {"model_version", R"("../../x")"},
                                                       {"model_version", R"("20261123_00000a")"},
                                                       {"model_version", "7"},
                                                       {"model_version", "null"},
                                                       {"model_version", R"("")"},
                                                       {"model_name", "[]"},
                                                       {"status", "{}"},
                                                       {"status", "1"},
                                                       {"model_path", "[1]"},
                                                       {"model_file_id", "5"},
                                                       {"model_file_id", R"("../x")"},
                                                       {"sha256", "1"},
                                                       {"sha256", R"("../x")"},
                                                       {"hyperparameters", "[1]"},
                                                       {"metrics", R"("good")"},
                                                       {"notes", "{}"},
                                                       {"finetuned_from", "7"},
                                                       {"status_history", R"("x")"},
                                                       {"status_history", "[1]"},
                                                       {"status_history", R"([{"status": 1}])"}};
  for (const auto& [field, value] : cases) {
    Document bad = good;
    bad[field] = Document::parse(value);
    const auto refused = version_from(bad);
    ASSERT_FALSE(refused) << field << " " << value;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
    for (const std::string& part :
         {std::string("model_metadata"), store::id_text(good["_id"]), std::string(field)}) {
      EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
    }
  }
  for (const auto& name : {"_id", "model_version", "model_name"}) {
    Document bad = good;
    bad.erase(name);
    EXPECT_FALSE(version_from(bad)) << name;
  }
  EXPECT_FALSE(version_from({{"_id", "own"}, {"model_name", "m"}, {"model_version", "20261123_000001"}}));
}

TEST_F(Registry, AnAuditEntrySaysWhoDidWhat) {
  const auto entry = audit_entry({"approve", "20261123_000001", "registered", "approved", "manual"}, now());
  EXPECT_EQ(entry.collection, kAuditLog);
  const Document& d = entry.document;
  for (const char* name :
       {"_id", "timestamp", "logical_date", "run_id", "actor", "act", "what", "from", "to", "version"})
    EXPECT_TRUE(d.contains(name)) << name;
  EXPECT_FALSE(d["actor"]["os_user"].get<std::string>().empty());
  EXPECT_FALSE(d["actor"]["host"].get<std::string>().empty());
  EXPECT_FALSE(d.contains("task_key"));
}

}  // namespace
}  // namespace maeil::registry
