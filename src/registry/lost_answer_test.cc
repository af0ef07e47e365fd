// A change of a version's status whose commit was done and whose answer was lost is a change, and is never
// said to have failed.
#include <gtest/gtest.h>

#include "registry/audit.h"
#include "registry/status.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_stores.h"
#include "store/test_support.h"

namespace maeil::registry {
namespace {

// kConflict: the commit was sent again, and met itself
class LostAnswer : public testing::TestWithParam<ErrorCode> {
 protected:
  void SetUp() override {
    NewVersion fresh{.id = store::new_object_id(now()),
                     .model_name = kClassifier,
                     .version = "20261123_000000",
                     .file_id = store::new_object_id(now())};
    store::Batch batch;
    batch.puts.push_back({kCollection, make_version_document(fresh, now())});
    const Status made = file_->commit(batch);
    ASSERT_TRUE(made) << made.error().message;
    version_ = find_version(*file_, fresh.id).value();
    ASSERT_TRUE(change_status(version_, {.status = "approved", .run_id = "manual"}, now(), batch_));
    batch_.puts.push_back(
        audit_entry({"approve", version_.version, "registered", "approved", "manual"}, now()));
  }
  store::TempFolder folder_;
  std::unique_ptr<store::Store> file_ = store::open_sqlite(folder_ / "maeil.db").value();
  ModelVersion version_;
  store::Batch batch_;
};

TEST_P(LostAnswer, OfAnApprovalIsAnApproval) {
  store::DeafStore store(*file_);
  store.at = 1;
  store.code = GetParam();
  const Status done = commit_change(store, batch_, version_);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(find_version(*file_, version_.id)->status, "approved");
}

TEST_P(LostAnswer, IsFoundThoughAnotherChangeFollowed) {
  class Overtaken : public store::ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;
    ErrorCode code{};
    Status commit(const store::Batch& batch) override {
      EXPECT_TRUE(below_.commit(batch));
      const auto now_approved = find_version(below_, batch.sets.front().id).value();
      store::Batch next;
      EXPECT_TRUE(change_status(now_approved, {.status = "rejected", .run_id = "other"}, now(), next));
      EXPECT_TRUE(below_.commit(next));
      return fail(code, "the connection broke");
    }
  };
  Overtaken store(*file_);
  store.code = GetParam();
  EXPECT_TRUE(commit_change(store, batch_, version_));
  EXPECT_EQ(find_version(*file_, version_.id)->status, "rejected");
}

INSTANTIATE_TEST_SUITE_P(Codes, LostAnswer, testing::Values(ErrorCode::kUnavailable, ErrorCode::kConflict));

TEST_P(LostAnswer, OfAnotherIsStillRefusedAndAnUnreadableStoreIsSaidToBeUnknown) {
  store::DeafStore blind(*file_);
  blind.at = 1;
  blind.goes_blind = true;
  const Status unknown = commit_change(blind, batch_, version_);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("may or may not have been recorded"), std::string::npos);
  EXPECT_NE(unknown.error().message.find("maeil model show 20261123_000000"), std::string::npos);
  store::Batch other;
  ASSERT_TRUE(change_status(version_, {.status = "rejected", .run_id = "other"}, now(), other));
  const Status refused = commit_change(*file_, other, version_);  // what it expects is gone
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(refused.error().message.find("nothing was changed"), std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace maeil::registry
