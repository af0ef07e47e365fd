// This machine's link beside a registry that other machines change: whose word `unchanged` is, and when the
// link is mended.
#include "loop/deployment.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "registry/audit.h"
#include "registry/deployed_link.h"
#include "registry/status.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

class LinkAndRegistry : public testing::Test {
 protected:
  LinkAndRegistry() { settings_.model_save_path = models("here"); }
  std::string models(const char* machine) { return (folder_ / machine / "models").string(); }

  // An approved classifier of these bytes.
  std::string add_version(const std::string& name, const char* model = registry::kClassifier) {
    auto blob = store_->write_blob(name + ".pth", {}).value();
    EXPECT_TRUE(blob->write(name));
    registry::NewVersion version;
    version.id = store::new_object_id(now());
    version.model_name = model;
    version.version = name;
    version.file_id = blob->finish().value();
    version.sha256 = sha256_hex(name);
    store::Document document = registry::make_version_document(version, now());
    document["status"] = "approved";
    store::Batch batch;
    batch.puts.push_back({registry::kCollection, std::move(document)});
    EXPECT_TRUE(store_->commit(batch));
    return version.id;
  }
  // Deploys on another machine and tells whether it was deployed before.
  bool deployed_elsewhere(const std::string& id) {
    Settings other;
    other.model_save_path = models("elsewhere");
    auto deployment = deploy(*store_, other, id, {}, now()).value();
    EXPECT_TRUE(store_->commit(deployment.batch));
    return deployment.unchanged;
  }
  std::string shown() {
    const auto bytes =
        read_file(std::filesystem::path(settings_.model_save_path) / "deployed/current_model.pth");
    return bytes ? *bytes : "nothing";
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
  Settings settings_;
};

TEST_F(LinkAndRegistry, UnchangedIsTheRegistrysWordAndTheLinkFollowsAllTheSame) {
  const auto id = add_version("20261123_000001");
  EXPECT_FALSE(deployed_elsewhere(id));
  EXPECT_TRUE(deployed_elsewhere(id));
  const auto here = deploy(*store_, settings_, id, {}, now()).value();
  EXPECT_TRUE(here.unchanged);  // although nothing was linked here
  EXPECT_TRUE(here.batch.sets.empty());
  EXPECT_EQ(shown(), "20261123_000001");
}

TEST_F(LinkAndRegistry, TheLinkFollowsWhatAnotherMachineDeployed) {
  EXPECT_EQ(follow_registry(*store_, settings_), "");
  deployed_elsewhere(add_version("20261123_000001"));
  EXPECT_NE(follow_registry(*store_, settings_).find("20261123_000001"), std::string::npos);
  EXPECT_EQ(shown(), "20261123_000001");
  deployed_elsewhere(add_version("20261123_000002"));
  EXPECT_NE(follow_registry(*store_, settings_), "");
  EXPECT_EQ(shown(), "20261123_000002");
  EXPECT_EQ(follow_registry(*store_, settings_), "");
  ASSERT_TRUE(write_file_atomically(
      std::filesystem::path(settings_.model_save_path) / "deployed/current_model.pth", "damaged"));
  EXPECT_NE(follow_registry(*store_, settings_), "");
  EXPECT_EQ(shown(), "20261123_000002");
}

TEST_F(LinkAndRegistry, ADeploymentUnderWayIsNotTakenBack) {
  deployed_elsewhere(add_version("20261123_000001"));
  follow_registry(*store_, settings_);
  auto under_way = deploy(*store_, settings_, add_version("20261123_000002"), {}, now()).value();
  EXPECT_EQ(shown(), "20261123_000002");  // the registry does not know it yet
  EXPECT_EQ(follow_registry(*store_, settings_), "");
  EXPECT_EQ(shown(), "20261123_000002");
  under_way.lock.reset();  // killed before its commit
  EXPECT_NE(follow_registry(*store_, settings_), "");
  EXPECT_EQ(shown(), "20261123_000001");
}

TEST_F(LinkAndRegistry, WhatCannotBeMendedIsAWarning) {
  deployed_elsewhere(add_version("20261123_000001"));
  // as the Python project left it
  std::filesystem::create_directories(settings_.model_save_path + "/deployed");
  EXPECT_TRUE(follow_registry(*store_, settings_).starts_with("warning: "));
}

TEST_F(LinkAndRegistry, AnEncoderIsNotDeployed) {
  const auto id = add_version("20261123_000001", registry::kEncoder);
  const auto refused = deploy(*store_, settings_, id, {}, now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("is an encoder"), std::string::npos) << refused.error().message;
  EXPECT_EQ(shown(), "nothing");
}

// The version is approved once more between the switch of the link and the commit: nothing of the deployment
// counts.
TEST_F(LinkAndRegistry, ADeploymentThatLostARaceLeavesTheLinkWithTheRegistry) {
  deployed_elsewhere(add_version("20261123_000001"));
  follow_registry(*store_, settings_);
  const auto id = add_version("20261123_000002");
  const auto version = registry::find_version(*store_, id).value();
  auto lost = deploy(*store_, settings_, id, {}, now()).value();
  store::Batch other;
  ASSERT_TRUE(registry::change_status(version, {.status = "approved", .run_id = "other"}, now(), other));
  ASSERT_TRUE(store_->commit(other));
  const Status refused = store_->commit(lost.batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  lost.lock.reset();
  EXPECT_NE(follow_registry(*store_, settings_), "");
  EXPECT_EQ(shown(), "20261123_000001");
}

TEST_F(LinkAndRegistry, EachDeploymentIsAnEntryOfTheAuditLogAndSaysWhatItReplaced) {
  const auto first = add_version("20261123_000001"), second = add_version("20261123_000002");
  for (const auto& [id, act] :
       {std::pair(first, "deploy"), std::pair(second, "deploy"), std::pair(first, "rollback")}) {
    ASSERT_TRUE(deploy_now(*store_, settings_, registry::find_version(*store_, id).value(), {act, kByHand}));
  }
  const auto acts = store_->find(registry::kAuditLog, {}).value();
  ASSERT_EQ(acts.size(), 3u);
  EXPECT_TRUE(acts[0]["from"].is_null());
  EXPECT_EQ(acts[2]["act"], "rollback");
  EXPECT_EQ(acts[2]["from"], "20261123_000002");
  EXPECT_EQ(acts[2]["to"], "20261123_000001");
  EXPECT_EQ(registry::previous_deployment(*store_).value().id, second);
  const auto events = store_->find("deployment_events", {}).value();
  EXPECT_TRUE(events[0]["replaced"].is_null());
  EXPECT_EQ(events[1]["replaced"], first);
  EXPECT_EQ(events[2]["replaced"], second);
}

}  // namespace
}  // namespace maeil::loop
