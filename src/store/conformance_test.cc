// What every store must do, written against the interface alone: a new store is one more entry of kStores.
// Here: several writers, threads and processes at a time. One file each has documents, rows and blobs.
#include "store/conformance.h"

#include <atomic>
#include <thread>

#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::store {
namespace {

// Each folder has a database of its own on the test program's server.
Result<std::unique_ptr<Store>> open_server(TestServer::Kind kind, const std::filesystem::path& folder,
                                           bool transactions) {
  MongoOptions options;
  options.lease = std::chrono::seconds(30);  // no test waits for its end: whose holder died is free at once
  options.transactions = transactions;
  return open_mongo(TestServer::shared(kind).uri(), "t_" + folder.filename().string(), options);
}

const StoreKind kStores[] = {
    {"Sqlite", Needs::kNothing,
     [](const std::filesystem::path& folder) { return open_sqlite(folder / "maeil.db"); }},
};
// SecantusDB has transactions, FerretDB has none; with them switched off both servers take the other way.
const StoreKind kServers[] = {
    {"Secantus", Needs::kSecantus,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kSecantus, folder, true);
     }},
    {"SecantusJournal", Needs::kSecantus,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kSecantus, folder, false);
     }},
    {"Ferret", Needs::kFerret,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kFerret, folder, true);
     }},
};

INSTANTIATE_TEST_SUITE_P(Stores, Conformance, testing::ValuesIn(kStores),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Servers, Conformance, testing::ValuesIn(kServers),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Stores, ConformanceSlow, testing::ValuesIn(kStores),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Servers, ConformanceSlow, testing::ValuesIn(kServers),
                         [](const auto& instance) { return instance.param.name; });

// Each id is taken by one of those who want it at the same moment, and everybody hears who lost it.
TEST_P(Conformance, OfMakersOfOneDocumentOneMakesIt) {
  constexpr int kThreads = 4, kRounds = 6;
  std::atomic<int> made[kRounds] = {}, lost[kRounds] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        Batch batch = put("names", {doc(i, fmt::format(R"({{"by": {}}})", t))});
        batch.expects.push_back({"names", id_of(i), nullptr});
        const Status done = store_->commit(batch);
        if (done)
          ++made[i];
        else if (done.error().code == ErrorCode::kConflict)
          ++lost[i];
        else
          ADD_FAILURE() << done.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_EQ(made[i], 1) << i;
    EXPECT_EQ(lost[i], kThreads - 1) << i;
  }
}

// Read, expect, write: of two that read the same, one is refused.
TEST_P(Conformance, WritersThatExpectWhatTheyReadLoseNothing) {
  const std::string id = new_object_id(now());
  Batch first;
  first.puts.push_back({"c", {{"_id", id_value(id)}, {"n", 0}}});
  ASSERT_TRUE(store_->commit(first));
  constexpr int kThreads = 3, kRounds = 5;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kRounds;) {
        const auto n = store_->find_one("c", {}).value()["n"].get<int>();
        Batch batch;
        batch.expects.push_back({"c", id, {{"n", n}}});
        batch.sets.push_back({"c", id, {{"n", n + 1}}});
        const Status status = store_->commit(batch);
        if (status)
          ++done;
        else
          ASSERT_EQ(status.error().code, ErrorCode::kConflict) << status.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store_->find_one("c", {}).value()["n"], kThreads * kRounds);
}

TEST_P(Conformance, WritersOfOnePartitionLeaveOneOfTheirs) {
  constexpr int kThreads = 4, kRounds = 4;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        auto writer = store_->write_rows("rows", "p", {{"c", t * 100 + i}});
        if (!writer || !(*writer)->append({{"n", std::vector<int64_t>(50, t * 100 + i)}})) {
          ++failures;
          continue;
        }
        Batch batch;
        batch.publishes.push_back({"rows", "p", *(*writer)->finish()});
        failures += !store_->commit(batch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const auto rows = find("rows");
  EXPECT_EQ(rows.size(), 50u);
  for (const auto& row : rows) EXPECT_EQ(row["n"], rows[0]["c"]);
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, WritersOfOneDocumentLoseNothing) {
  must(store_->commit(put("c", {doc(1)})));
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        Batch batch;
        batch.sets.push_back({"c", id_of(1), {{fmt::format("fields.t{}_{}", t, i), i}}});
        failures += !store_->commit(batch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(find("c")[0]["fields"].size(), 40u);
}

TEST_P(Conformance, ManyThreads) {
  constexpr int kThreads = 8;
  // Where a commit is many messages, each of which the others may have to wait for, fewer say as much.
  const int rounds = GetParam().needs == Needs::kNothing ? 25 : 8;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        Batch batch = put("c", {doc(t * 1000 + i, fmt::format(R"({{"n": {}}})", i))});
        batch.puts.push_back({"d", doc(t * 1000 + i)});
        failures += !store_->commit(batch);
        const auto seen = store_->find("c", {});
        failures += !seen || seen->size() < static_cast<size_t>(i + 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(find("c").size(), static_cast<size_t>(kThreads * rounds));
  EXPECT_EQ(find("d").size(), static_cast<size_t>(kThreads * rounds));
}

TEST_P(Conformance, ManyProcessesFromTheFirstMomentOn) {
  constexpr int kProcesses = 4, kRounds = 20;
  TempFolder fresh;  // nobody has made the store yet
  std::vector<std::unique_ptr<Child>> children;
  for (int c = 0; c < kProcesses; ++c) {
    children.push_back(std::make_unique<Child>([&, c] {
      auto store = GetParam().open(fresh.path());
      if (!store) return 1;
      for (int i = 0; i < kRounds; ++i) {
        if (!(*store)->commit(put("c", {doc(c * 1000 + i)}))) return 2;
      }
      return 0;
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(must(must(GetParam().open(fresh.path()))->find("c", {})).size(),
            static_cast<size_t>(kProcesses * kRounds));
}

TEST_P(Conformance, KilledWritersLeaveWholeBatches) {
  store_ = nullptr;
  const size_t count =
      GetParam().needs == Needs::kNothing ? 3000 : 300;  // one chunk of rows, a server is slow
  for (int round = 0; round < 8; ++round) {
    Signpost started;
    Child child([&] {
      auto store = GetParam().open(folder_.path());
      if (!store) return 1;
      for (int64_t i = 1;; ++i) {
        auto writer = (*store)->write_rows("rows", "p", {{"c", i}});
        if (!writer || !(*writer)->append({{"n", std::vector<int64_t>(count, i)}})) return 2;
        auto generation = (*writer)->finish();
        auto blob = (*store)->write_blob("b", Document::object());
        if (!generation || !blob || !(*blob)->write(std::to_string(i))) return 3;
        const auto blob_id = (*blob)->finish();
        Batch batch = put("a", {doc(1, fmt::format(R"({{"n": {}, "file_id": "{}"}})", i, blob_id.value()))});
        batch.puts.push_back({"b", doc(2, fmt::format(R"({{"n": {}}})", i))});
        batch.publishes.push_back({"rows", "p", *generation});
        if (!(*store)->commit(batch)) return 4;
        if (i == 1) started.raise();
      }
    });
    started.await();
    ::usleep(static_cast<useconds_t>(1000 + 3700 * round));
    ASSERT_EQ(child.kill(), -SIGKILL);
    store_ = open();
    const Document a = must(store_->find_one("a", {})), b = must(store_->find_one("b", {}));
    EXPECT_EQ(a["n"], b["n"]);
    EXPECT_EQ(must(store_->read_whole_blob(a["file_id"].get<std::string>(), 100)),
              std::to_string(a["n"].get<int64_t>()));
    size_t rows = 0;
    must(store_->find_each("rows", {}, [&](Document&& row) {
      EXPECT_EQ(row["n"], a["n"]);
      EXPECT_EQ(row["c"], a["n"]);
      return ++rows, true;
    }));
    EXPECT_EQ(rows, count);
    EXPECT_TRUE(store_->check());
    must(store_->collect_garbage(now() + std::chrono::hours(1)));
    EXPECT_TRUE(store_->blob_info(a["file_id"].get<std::string>()));
    store_ = nullptr;
  }
}

TEST_P(Conformance, ALockTellsItsHolderAndEndsWithIt) {
  {
    const auto held = must(store_->lock("runner", "maeil run"));
    const auto shown = must(store_->lock_holder("runner"));
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->holder, "maeil run");
    EXPECT_EQ(shown->pid, std::to_string(::getpid()));
    EXPECT_FALSE(shown->host.empty());
    EXPECT_FALSE(must(store_->lock_holder("deploy")));
    const auto second = store_->lock("runner", "maeil backfill");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_NE(second.error().message.find("maeil run"), std::string::npos) << second.error().message;
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
    EXPECT_TRUE(store_->lock("deploy", "x"));
    EXPECT_FALSE(store_->lock("../x", "x"));
  }
  EXPECT_FALSE(must(store_->lock_holder("runner")));
  EXPECT_TRUE(store_->lock("runner", "again"));

  store_ = nullptr;
  Signpost locked;
  Child child([&] {
    auto store = GetParam().open(folder_.path());
    const auto lock = store ? (*store)->lock("runner", "the child") : tl::unexpected<Error>(store.error());
    if (!lock) return 1;
    locked.raise();
    ::pause();
    return 0;
  });
  locked.await();
  store_ = open();
  const auto refused = store_->lock("runner", "the parent");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(std::to_string(child.pid())), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(must(store_->lock_holder("runner")).value().pid, std::to_string(child.pid()));
  ASSERT_EQ(child.kill(), -SIGKILL);
  EXPECT_FALSE(must(store_->lock_holder("runner")));
  EXPECT_TRUE(store_->lock("runner", "the parent"));
}

}  // namespace
}  // namespace maeil::store
