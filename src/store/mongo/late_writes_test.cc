// Lost, late and repeated messages where a server has no transactions, at every write of a batch: against the
// public interface alone, on SecantusDB (transactions switched off, seen as a stand-alone server) and on
// FerretDB.
//
// Each case: a victim commits a batch through a proxy that harms its k-th write; another writer takes up its
// work and commits a batch of its own over the same documents and rows; what was held back of the victim
// arrives. At every point the victim's batch is there as a whole or not at all, and after the other's all is
// the other's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include "store/mongo/late_writes_scenario.h"
#include "store/mongo/test_proxy.h"
#include "store/test_servers.h"

namespace maeil::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Fault = TestProxy::Fault;
using Kind = TestServer::Kind;

// When the message that was held back arrives.
enum class Late { kNever, kAfterwards, kAfterTheOtherLooked, kWhileTheOtherWrites };

struct Case {
  const char* name;
  Fault fault;
  bool client_dies = false;
  Late late = Late::kNever;
  bool server_dies = false;  // kill -9 at the fault, then the same server again on its port and folder
  bool touches_all = true;   // the other also writes the document that the victim makes, and that it erases
};

const Case kCases[] = {
    {"LostClientDies", Fault::kLose, true},
    {"LostClientLives", Fault::kLose},
    {"AnswerLostClientDies", Fault::kLoseAnswer, true},
    {"AnswerLostClientLives", Fault::kLoseAnswer},
    {"LateClientDies", Fault::kHold, true, Late::kAfterwards},
    {"LateClientLives", Fault::kHold, false, Late::kAfterwards},
    {"LateOtherLooked", Fault::kHold, true, Late::kAfterTheOtherLooked},
    {"LateOtherWrites", Fault::kHold, true, Late::kWhileTheOtherWrites},
    {"LateOtherWritesLess", Fault::kHold, true, Late::kAfterwards, false, false},
    {"TwiceClientLives", Fault::kTwice, false, Late::kAfterwards},
    // The victim stands still, as a process that is stopped, and goes on: all that it still writes is late.
    {"FrozenOtherWrote", Fault::kFreeze, false, Late::kAfterwards},
    {"FrozenOtherLooked", Fault::kFreeze, false, Late::kAfterTheOtherLooked},
    {"ServerDiesBefore", Fault::kLose, false, Late::kNever, true},
    {"ServerDiesAfter", Fault::kLoseAnswer, false, Late::kNever, true},
};

struct Instance {
  Kind kind;
  Case fault;
};
std::string name_of(const Instance& one) {
  return fmt::format("{}{}", one.kind == Kind::kSecantus ? "Secantus" : "Ferret", one.fault.name);
}
void PrintTo(const Instance& one, std::ostream* out) { *out << name_of(one); }

std::vector<Instance> instances() {
  std::vector<Instance> all;
  for (const Kind kind : {Kind::kSecantus, Kind::kFerret}) {
    for (const Case& fault : kCases) all.push_back({kind, fault});
  }
  return all;
}

class LateWrites : public testing::TestWithParam<Instance> {
 protected:
  void SetUp() override {
    if (TestServer::program(kind()).empty()) {
      ASSERT_FALSE(TestServer::must_be_there());
      GTEST_SKIP() << "no such server here: make build/peers/mongo-ready, or see test_servers.h";
    }
    if (!the().server_dies) TestServer::shared(kind());  // by the main thread: a server ends with its thread
  }
  static Kind kind() { return GetParam().kind; }
  static const Case& the() { return GetParam().fault; }

  // Waits until the fault has happened, and for a victim that can go on until it is done.
  void await_fault(TestServer& server, const TestProxy& proxy, const std::future<Status>& victim) {
    const auto done = [&] { return victim.wait_for(milliseconds{2}) == std::future_status::ready; };
    while (!proxy.fired() && (!done() || proxy.begun())) {
    }
    if (proxy.fired() && the().server_dies) server.start();
    if (!proxy.fired() || (!the().client_dies && the().fault != Fault::kFreeze)) victim.wait();
  }

  void expect_whole(const Seen& seen, const char* when) {
    EXPECT_TRUE(seen == kOld || seen == kNew)
        << when << ", half of a batch: " << testing::PrintToString(seen);
  }
  void expect_others(Store& store, const Seen& before, const char* when) {
    Seen wanted = kOthers;
    auto seen = look(store);
    ASSERT_TRUE(seen) << when << ": " << seen.error().message;
    if (!the().touches_all) {
      // Tolerated, since nobody wrote over it: a document that a batch which never counted would have made
      // arrives late and stays, under the id that a second try of the task writes. An erase may not come so.
      wanted.c = seen->c == "v" ? "v" : before.c;
      wanted.d = before.d;
    }
    EXPECT_EQ(*seen, wanted) << when;
  }

  // The other's commit. It may meet the victim's batch that begins to count only now; then it looks again.
  Status take_over(Store& other, Seen& before) {
    Status done = others_batch(other, before.a, the().touches_all);
    for (int again = 0; !done && done.error().code == ErrorCode::kConflict && again < 3; ++again) {
      MAEIL_ASSIGN(before, look(other));
      expect_whole(before, "after the other's conflict");
      done = others_batch(other, before.a, the().touches_all);
    }
    return done;
  }

  // One case at write k. False: the batch has fewer writes, and nothing was harmed.
  bool at_write(TestServer& server, int k) {
    const std::string database = fmt::format("late_{}", new_object_id(now()));
    const auto base = open_quickly(server.uri(), database, milliseconds{5000});
    EXPECT_TRUE(base && make_base(**base));
    TestProxy proxy(server.port()), others_proxy(server.port());
    const char* waits = the().client_dies ? "?serverSelectionTimeoutMS=500&connectTimeoutMS=500"
                                          : "?serverSelectionTimeoutMS=5000";
    const auto open_victim = [&] {
      return open_quickly(proxy.uri(waits), database, milliseconds{the().client_dies ? 300 : 20'000});
    };
    auto victim = open_victim();
    // a busy machine is slower than its patience
    for (int again = 0; !victim && again < 20; ++again) victim = open_victim();
    EXPECT_TRUE(victim) << victim.error().message;
    if (!base || !victim) return false;
    TestProxy::Plan plan{k, the().fault, the().client_dies};
    if (the().server_dies) plan.before_cut = [&] { server.kill(); };
    proxy.arm(plan);
    auto trying = std::async(std::launch::async, [&] { return victims_batch(**victim); });
    await_fault(server, proxy, trying);
    const bool harmed = proxy.fired();
    proxy.arm({});
    SCOPED_TRACE(fmt::format("write {}: {}", k, harmed ? proxy.victim() : "none"));
    std::atomic<bool> outstanding = harmed && the().late != Late::kNever;
    const auto deliver = [&] {
      outstanding = false;
      if (the().fault == Fault::kFreeze) return proxy.thaw();
      EXPECT_TRUE(proxy.deliver_late()) << "the server did not carry out the late message";
    };

    const auto begun = steady_clock::now();
    const auto other = open_quickly(others_proxy.uri(""), database, milliseconds{5000});
    auto before = other ? look(**other) : Result<Seen>(tl::make_unexpected(other.error()));
    EXPECT_TRUE(before) << "the other cannot look: " << before.error().message;
    if (!before) {
      proxy.thaw();
      return harmed;
    }
    expect_whole(*before, "before the other's batch");
    if (outstanding && the().late == Late::kAfterTheOtherLooked) deliver();
    // After one of the other's writes, another one for each of the victim's.
    const bool meanwhile = outstanding && the().late == Late::kWhileTheOtherWrites;
    if (meanwhile) others_proxy.arm({1 + k * 5 % 12, Fault::kTwice, false, deliver});
    const Status done = take_over(**other, *before);
    others_proxy.arm({});
    EXPECT_TRUE(done) << "the other cannot write: " << done.error().message;
    note(steady_clock::now() - begun);
    if (outstanding) deliver();
    if (!the().client_dies) trying.wait();
    expect_others(**other, *before, "seen by the other");

    if (!the().client_dies) {
      const Status second = victims_batch(**victim);
      EXPECT_TRUE(!second && second.error().code == ErrorCode::kConflict) << "the victim tries again";
    }
    expect_usable(server.uri(), database, *before);
    expect_told(trying.get(), harmed, *before);
    return harmed;
  }

  // A third one, who knows nothing of all this, reads, clears up and writes.
  void expect_usable(const std::string& uri, const std::string& database, const Seen& before) {
    const auto third = open_quickly(uri, database, milliseconds{5000});
    ASSERT_TRUE(third) << third.error().message;
    EXPECT_TRUE((*third)->collect_garbage(now()));
    expect_others(**third, before, "seen by a third");
    const Status done = others_batch(**third, "w", true);
    EXPECT_TRUE(done) << "a third cannot write: " << done.error().message;
    const auto seen = look(**third);
    EXPECT_TRUE(seen && *seen == kOthers) << "after the third's batch";
    EXPECT_TRUE((*third)->check());
  }

  // What the victim was told about its batch is true.
  void expect_told(const Status& victim, bool harmed, const Seen& before) {
    const bool none = !victim && victim.error().code == ErrorCode::kConflict;
    const std::string words = victim ? "" : victim.error().message;
    EXPECT_TRUE(harmed || victim) << words;
    EXPECT_TRUE(!victim || before == kNew) << "its commit was acknowledged";
    EXPECT_TRUE(!none || before == kOld) << "its commit was told that nothing was written: " << words;
    std::lock_guard lock(mutex_);
    unknown_ += !victim;
  }
  void note(steady_clock::duration waited) {
    std::lock_guard lock(mutex_);
    longest_ = std::max(longest_, std::chrono::duration_cast<milliseconds>(waited));
  }

  std::mutex mutex_;
  milliseconds longest_{0};
  int unknown_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Servers, LateWrites, testing::ValuesIn(instances()),
                         [](const auto& one) { return name_of(one.param); });

TEST_P(LateWrites, AtEveryWriteOfABatch) {
  // Several at a time, each in a database of its own: mostly they wait.
  const int together = the().server_dies ? 4 : 8;
  const auto work = [&](int first) {
    std::unique_ptr<TestServer> own;
    if (the().server_dies) own = std::make_unique<TestServer>(kind());
    int k = first, harmed = 0;
    while (k < 60 && at_write(own ? *own : TestServer::shared(kind()), k)) {
      k += together;
      ++harmed;
    }
    return harmed;
  };
  std::vector<std::future<int>> workers;
  for (int i = 1; i <= together; ++i) workers.push_back(std::async(std::launch::async, work, i));
  int writes = 0;
  for (auto& one : workers) writes += one.get();
  EXPECT_GT(writes, 5) << "a batch has more writes than this: was it seen at all?";
  EXPECT_LT(writes, 59);
  fmt::print("{} writes; {} commits of the victim did not say how they ended; the other took up to {} ms\n",
             writes, unknown_, longest_.count());
}

}  // namespace
}  // namespace maeil::store
