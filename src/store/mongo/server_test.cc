// What only a server's store does: leases and their fence, a dead writer's batch, errors as sentences. On
// SecantusDB, with its transactions and without.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "store/mongo/control.h"
#include "store/mongo/generation.h"
#include "store/mongo/mongo_store.h"
#include "store/mongo/server_site.h"
#include "store/test_must.h"
#include "store/test_servers.h"

namespace maeil::store {
namespace {

using namespace mongo;
using std::chrono::milliseconds;

const std::string kOne = "000000000000000000000001";

Batch put_one(int n) {
  Batch batch;
  batch.puts.push_back({"c", {{"_id", id_value(kOne)}, {"n", n}}});
  return batch;
}

class MongoServer : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (TestServer::program(TestServer::Kind::kSecantus).empty()) {
      ASSERT_FALSE(TestServer::must_be_there());
      GTEST_SKIP() << "no such server here: make build/peers/mongo-ready, or MAEIL_MONGO_SECANTUS";
    }
    uri_ = TestServer::shared(TestServer::Kind::kSecantus).uri();
    options_.transactions = GetParam();
    options_.lease = milliseconds{6000};  // renewed every 2 s: a loaded machine may be 4 s late
    options_.retry = milliseconds{5000};
  }
  std::unique_ptr<Store> open() { return std::move(open_mongo(uri_, database_, options_)).value(); }
  std::shared_ptr<Server> server() { return std::move(Server::open(uri_, database_, options_)).value(); }
  // As if the holder had been on another machine, where nobody can look whether it lives.
  void move_holder_elsewhere() {
    const auto other = server();
    Connection connection(*other);
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}},
                                           {{"$set", {{"locks.runner.owner.machine", "elsewhere"}}}}));
  }
  // Until the runner's lease has been renewed so often.
  void await_renewals(int count) {
    const auto other = server();
    Connection connection(*other);
    const auto expires = [&] { return must(connection.find(kLeases, {{"_id", "runner"}})).at(0)["expires"]; };
    for (Document last = expires(); count > 0;) {
      const Document now = expires();
      if (now != last) last = now, --count;
      std::this_thread::sleep_for(milliseconds{20});
    }
  }
  int64_t value() {
    const auto found = open()->find_one("c", {});
    return found && found->is_object() ? (*found)["n"].get<int64_t>() : -1;
  }

  std::string uri_;
  MongoOptions options_;
  const std::string database_ = fmt::format("server_{}", new_object_id(now()));
};

// Of batches that are carried out step by step; a transaction is done at once, or takes itself back.
class MongoServerJournal : public MongoServer {};

INSTANTIATE_TEST_SUITE_P(Servers, MongoServer, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Transactions" : "Journal"; });
INSTANTIATE_TEST_SUITE_P(Servers, MongoServerJournal, testing::Values(false));

TEST_P(MongoServer, ALeaseIsRenewedWhileItsHolderLives) {
  const auto store = open(), other = open();
  const auto held = store->lock("runner", "first");
  ASSERT_TRUE(held);
  move_holder_elsewhere();
  await_renewals(4);  // by the last of them the lease that was taken has ended
  EXPECT_EQ(other->lock("runner", "second").error().code, ErrorCode::kConflict);
  std::string told;
  const auto refused =
      other->wait_for_lock("runner", "second", [&](std::string_view text) { return told += text, true; });
  ASSERT_FALSE(refused);  // it waited for a sign of life, and there was one
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(told.find("waiting"), std::string::npos) << told;
  EXPECT_EQ(other->wait_for_lock("runner", "second", [](std::string_view) { return false; }).error().code,
            ErrorCode::kCancelled);
  EXPECT_TRUE(store->commit(put_one(1)));
}

// As another program, or an older maeil's prune, would remove them: the entry of the upload stays.
TEST_P(MongoServer, ABlobWithoutOneOfItsPiecesIsNotRegistered) {
  const auto store = open();
  const auto direct = server();
  Connection connection(*direct);
  auto writer = must(store->write_blob("lost", Document::object()));
  ASSERT_TRUE(writer->write(std::string(5 << 20, 'x')));
  ASSERT_EQ(must(connection.remove(kChunks, {{"n", 3}})), 1);
  const auto id = writer->finish();
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::kIo);
  EXPECT_NE(id.error().message.find("pieces of this upload were removed meanwhile: write it again"),
            std::string::npos)
      << id.error().message;
  EXPECT_TRUE(must(store->blobs()).empty());
  EXPECT_EQ(must(store->collect_garbage(now() + std::chrono::hours(1))), 1);
}

TEST_P(MongoServer, AHolderThatLostItsLeaseCommitsNothing) {
  options_.lease = milliseconds{15'000};  // no renewal during the test
  const auto store = open(), other = open();
  const auto held = store->lock("runner", "first");
  ASSERT_TRUE(held);
  ASSERT_TRUE(store->commit(put_one(1)));
  {
    // As after a pause: the lease has run out, and somebody else took it before the next renewal.
    const auto direct = server();
    Connection connection(*direct);
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}},
                                           {{"$set", {{"locks.runner.expires", date_value(Instant{})}}}}));
    ASSERT_TRUE(connection.find_and_modify(kLeases, {{"_id", "runner"}},
                                           {{"$set", {{"expires", date_value(Instant{})}}}}));
  }
  const auto taken = other->lock("runner", "second");
  ASSERT_TRUE(taken) << taken.error().message;
  const Status done = store->commit(put_one(2));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_NE(done.error().message.find("lost the runner lock to second"), std::string::npos)
      << done.error().message;
  EXPECT_FALSE(store->erase_rows("rows", "p"));
  EXPECT_EQ(value(), 1);
  EXPECT_TRUE(other->commit(put_one(3)));
  EXPECT_EQ(value(), 3);
}

// A change as a plan makes it.
Change change_of(const std::string& collection, const std::string& batch, const std::string& seen,
                 const Document& before, const Document& after) {
  const auto named = [](Document document, const std::string& by) {
    if (!document.is_null()) document[kBatchField] = id_value(by);
    return document.is_null() ? Bson() : must(to_bson(document));
  };
  return {collection, kOne, seen, named(before, new_object_id(now())), named(after, batch)};
}

TEST_P(MongoServerJournal, ABatchThatCountsIsFinishedByTheNextOne) {
  ASSERT_TRUE(open()->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  ServerSite site(connection);
  // What a writer leaves that died between its journal and its writes.
  const std::string batch = new_object_id(now());
  std::vector<Change> changes;
  changes.push_back(change_of("c", batch, must(site.head()).batch, {{"_id", id_value(kOne)}, {"n", 1}},
                              {{"_id", id_value(kOne)}, {"n", 6}}));
  ASSERT_TRUE(site.write_journal(batch, changes));
  EXPECT_EQ(value(), 1);  // it never counted
  const Head seen = must(site.head());
  EXPECT_TRUE(
      must(site.move_head({batch, Head::State::kCounts, seen.number + 1, "", {{seen.batch, ""}}, {}})));
  EXPECT_EQ(value(), 6);
  EXPECT_EQ(must(site.head()).state, Head::State::kDone);
  // Its journal goes with the garbage, and takes nothing with it.
  EXPECT_TRUE(open()->collect_garbage(now() + std::chrono::hours(1)));
  EXPECT_TRUE(must(connection.find(kJournal, {})).empty());
  EXPECT_EQ(value(), 6);
}

TEST_P(MongoServer, RowsThatADeadWriterLeftGoWithTheNextPublish) {
  const auto store = open();
  const auto held = store->lock("runner", "test");
  ASSERT_TRUE(held);
  const auto direct = server();
  Connection connection(*direct);
  const auto visible = [&] { return must(connection.find("rows", {})).size(); };
  const auto publish = [&](int64_t n) {
    auto writer = must(store->write_rows("rows", "p"));
    ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>{n}}}));
    Batch batch;
    batch.publishes.push_back({"rows", "p", must(writer->finish())});
    ASSERT_TRUE(store->commit(batch));
  };
  // What is there between the first row and the switch, by three writers: one that is gone, one that lost the
  // lock, one that lives.
  const auto leave = [&](const Document& owner, int64_t token) {
    const std::string generation = must(begin_generation(connection, "rows", "p"));
    const Document leases = {{{"name", "runner"}, {"token", token}}};
    ASSERT_TRUE(connection.find_and_modify(
        kGenerations, {{"_id", id_value(generation)}},
        {{"$set", {{"owner", owner}, {"leases", token < 0 ? Document::array() : leases}}}}));
    ASSERT_TRUE(connection.insert_one(
        "rows", must(to_bson({{"_id", id_value(row_oid(generation, 0))}, {"n", token}}))));
  };
  publish(1);
  Document gone = Identity::own().document();
  gone["pid"] = 0x7fffffff;
  leave(gone, -1);
  Document elsewhere = Identity::own().document();
  elsewhere["machine"] = "elsewhere";
  leave(elsewhere, 0);
  leave(elsewhere, -1);
  EXPECT_EQ(visible(), 4u);
  publish(2);
  EXPECT_EQ(visible(), 2u) << "the published row, and the one of the writer that may live";
  EXPECT_EQ(must(store->find("rows", {})).size(), 1u) << "which maeil does not show";
  EXPECT_TRUE(store->check());

  // One whose writer lives, and was stopped after it had noted that its rows are none, before it had removed
  // them.
  const std::string half = must(begin_generation(connection, "rows", "p"));
  ASSERT_TRUE(connection.find_and_modify(kGenerations, {{"_id", id_value(half)}},
                                         {{"$set", {{"dropped", date_value(now())}}}}));
  ASSERT_TRUE(connection.insert_one("rows", must(to_bson({{"_id", id_value(row_oid(half, 0))}, {"n", 0}}))));
  EXPECT_EQ(visible(), 3u);
  publish(3);
  EXPECT_EQ(visible(), 2u);
}

TEST_P(MongoServer, AJournalIsReadAsItWasWritten) {
  ASSERT_TRUE(open());
  const auto direct = server();
  Connection connection(*direct);
  ServerSite site(connection);
  const std::string batch = new_object_id(now());
  const Document large = {{"_id", id_value(kOne)}, {"x", std::string(9 << 20, 'x')}};
  std::vector<Change> changes;
  changes.push_back(change_of("한글", batch, batch, large, large));
  changes.push_back(change_of("c", batch, "", Document(), large));
  changes.push_back(change_of("c", batch, "", large, Document()));
  ASSERT_TRUE(site.write_journal(batch, changes));
  const auto read = site.read_journal(batch);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(encode_changes(*read) == encode_changes(changes));
  ASSERT_TRUE(connection.remove(kJournal, {{"n", 0}}));
  EXPECT_EQ(site.read_journal(batch).error().code, ErrorCode::kBadInput);
}

TEST_P(MongoServer, AUniqueIndexOfTheirsIsNoProofThatItIsWritten) {
  const auto store = open();
  const auto direct = server();
  Connection connection(*direct);
  ASSERT_TRUE(connection.ensure_index("rows", {{"n", 1}}, "unique"));
  ASSERT_TRUE(connection.ensure_index("c", {{"n", 1}}, "unique"));
  ASSERT_TRUE(store->commit(put_one(1)));
  auto writer = must(store->write_rows("rows", "p"));
  ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>{1, 2, 1}}}));
  const auto finished = writer->finish();
  ASSERT_FALSE(finished) << "a row was dropped in silence";
  EXPECT_NE(finished.error().message.find("rows"), std::string::npos) << finished.error().message;
  Batch batch;
  batch.puts.push_back({"c", {{"_id", id_value("000000000000000000000002")}, {"n", 1}}});
  EXPECT_FALSE(store->commit(batch));
  EXPECT_EQ(must(store->find("c", {})).size(), 1u);
  EXPECT_TRUE(store->check());
}

TEST_P(MongoServer, ALongWriteOutlivesManyRenewals) {
  options_.lease = milliseconds{300};
  const auto store = open();
  const auto held = store->lock("runner", "test");
  ASSERT_TRUE(held);
  const auto before = std::chrono::steady_clock::now();
  auto writer = must(store->write_rows("rows", "p"));
  ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>(10000)}}));
  Batch batch = put_one(7);
  batch.publishes.push_back({"rows", "p", must(writer->finish())});
  const Status done = store->commit(batch);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_GT(std::chrono::steady_clock::now() - before, options_.lease / 3)
      << "too quick to show anything: more rows";
  EXPECT_EQ(value(), 7);
}

TEST_P(MongoServer, LocksOfAnOlderMaeilAreTakenOver) {
  ASSERT_TRUE(open());
  const auto direct = server();
  Connection connection(*direct);
  const auto leave = [&](Instant expires) {
    const Document lock = {{"token", 41},
                           {"nonce", "n"},
                           {"holder", "older"},
                           {"owner", {{"machine", "elsewhere"}}},
                           {"expires", date_value(expires)}};
    ASSERT_TRUE(
        connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"locks.runner", lock}}}}));
  };
  leave(now() + std::chrono::hours(1));
  EXPECT_EQ(open()->lock("runner", "test").error().code, ErrorCode::kConflict);
  leave(Instant{});
  const auto token = [&] {
    return must(read_control(connection))["locks"]["runner"]["token"].get<int64_t>();
  };
  ASSERT_TRUE(open()->lock("runner", "test"));
  EXPECT_EQ(token(), 42);
  // People may remove the entry (a message says so where it is damaged); former holders must not come back to
  // life by that.
  ASSERT_TRUE(
      connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$unset", {{"locks.runner", ""}}}}));
  ASSERT_TRUE(open()->lock("runner", "test"));
  EXPECT_EQ(token(), 43);
}

TEST_P(MongoServer, APoolOfOneAndAReadPreferenceAreNoObstacles) {
  uri_ = TestServer::shared(TestServer::Kind::kSecantus)
             .uri("?maxPoolSize=1&readPreference=secondaryPreferred&readConcernLevel=local");
  const auto store = open();
  const auto held = store->lock("runner", "test");
  ASSERT_TRUE(held);
  auto writer = must(store->write_rows("rows", "p"));
  ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>(10)}}));
  Batch batch = put_one(1);
  ASSERT_TRUE(store->commit(batch));
  batch.publishes.push_back({"rows", "p", must(writer->finish())});
  batch.sets.push_back({"c", "00000000000000000000dead", {{"n", 2}}});
  EXPECT_EQ(store->commit(batch).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(value(), 1);
}

TEST_P(MongoServer, HostileControlDataIsAnError) {
  ASSERT_TRUE(open()->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  const auto set = [&](const char* field, const Document& value) {
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{field, value}}}}));
  };
  Batch task = put_one(2);
  for (const Document& wrong :
       {Document("x"), Document(5), Document::array({1}), Document{{"id", 1}, {"owner", 2}},
        Document{{"id", id_value(kOne)}, {"owner", "x"}}}) {
    if (!GetParam()) {
      ASSERT_TRUE(connection.insert_one(
          kHeads, must(to_bson({{"_id", 1'000'000}, {"batch", wrong}, {"past", wrong}}))));
      const auto opened = open_mongo(uri_, database_, options_);
      ASSERT_FALSE(opened);
      EXPECT_NE(opened.error().message.find("maeil_heads"), std::string::npos) << opened.error().message;
      ASSERT_TRUE(connection.remove(kHeads, {{"_id", 1'000'000}}));
    }
    set("locks", Document::object());
    set("locks.runner", wrong);
    (void)open()->lock("runner", "test");
    set("locks", wrong);
    const auto store = open();
    (void)store->lock("runner", "test");
    set("locks", Document::object());
    ASSERT_TRUE(connection.find_and_modify(
        kGenerations, {{"_id", "x"}},
        {{"$set", {{"collection", wrong}, {"partition", wrong}, {"leases", Document::array({wrong})}}}},
        true));
    EXPECT_TRUE(store->commit(task));
    EXPECT_TRUE(store->collect_garbage(now()));
    ASSERT_TRUE(connection.find_and_modify(
        kPartitions, {{"_id", id_value(kOne)}},
        {{"$set", {{"collection", "c"}, {"columns", wrong}, {"rows", wrong}}}}, true));
    EXPECT_FALSE(store->row_partitions("c"));
    ASSERT_TRUE(connection.remove(kPartitions, {{"_id", id_value(kOne)}}));
  }
}

// What people add to a collection that refuses a document for good.
class Validator {
 public:
  Validator(Connection& connection, const std::string& collection, const Document& rule)
      : connection_(connection), collection_(collection) {
    EXPECT_TRUE(connection.ensure_own_collection(collection));
    set(rule);
  }
  ~Validator() { set(Document::object()); }

 private:
  void set(const Document& rule) {
    EXPECT_TRUE(connection_.command("set a validator", {{"collMod", collection_}, {"validator", rule}}));
  }
  Connection& connection_;
  const std::string collection_;
};

TEST_P(MongoServer, ABatchThatTheServerRefusesIsTakenBackWhole) {
  const auto store = open();
  const std::string other = "000000000000000000000002", third = "000000000000000000000003";
  const auto publish = [&](int64_t n) {
    auto writer = must(store->write_rows("rows", "p", {{"of", n}}));
    EXPECT_TRUE(writer->append({{"n", std::vector<int64_t>{n}}}));
    Batch batch = put_one(static_cast<int>(n));
    batch.publishes.push_back({"rows", "p", must(writer->finish())});
    return batch;
  };
  Batch first = publish(1);
  first.puts.push_back({"d", {{"_id", id_value(other)}, {"task_key", "t"}}});
  ASSERT_TRUE(store->commit(first));
  const auto direct = server();
  Connection connection(*direct);
  const auto rows = [&] { return must(connection.find("rows", {})).size(); };
  {
    const Validator validator(connection, "e", {{"n", {{"$lt", 5}}}});
    Batch batch = publish(7);
    batch.erases.push_back({"d", other});
    batch.puts.push_back({"d", {{"_id", id_value(third)}}});
    batch.puts.push_back({"e", {{"_id", id_value(kOne)}, {"n", 7}}});
    const Status done = store->commit(batch);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("write to e"), std::string::npos) << done.error().message;
    EXPECT_EQ(must(ServerSite(connection).head()).state, Head::State::kDone);
    EXPECT_EQ(value(), 1);
    EXPECT_EQ(must(store->find("d", {})).size(), 1u);
    EXPECT_EQ(must(store->row_constants("rows", "p")), (Document{{"of", 1}}));
    EXPECT_EQ(rows(), 1u) << "the new rows are gone, the old ones are there";
    EXPECT_TRUE(store->commit(put_one(3))) << "others go on";
  }
  EXPECT_TRUE(store->check());
  EXPECT_TRUE(store->commit(publish(9)));
  EXPECT_EQ(rows(), 1u);
}

TEST_P(MongoServerJournal, ABatchThatIsStuckIsNamedAndCanBeRead) {
  ASSERT_TRUE(open()->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  // What the server refuses to write, and to take back as well.
  ServerSite site(connection);
  const std::string batch = new_object_id(now()), before = new_object_id(now());
  Document nine = {{"_id", id_value(kOne)}, {"n", 9}};
  nine[kBatchField] = id_value(before);
  ASSERT_TRUE(connection.insert_one("e", must(to_bson(nine))));
  const Head seen = must(site.head());
  std::vector<Change> changes;
  changes.push_back(change_of("c", batch, seen.batch, {{"_id", id_value(kOne)}, {"n", 1}},
                              {{"_id", id_value(kOne)}, {"n", 2}}));
  changes.push_back(change_of("e", batch, before, nine, {{"_id", id_value(kOne)}, {"n", 7}}));
  ASSERT_TRUE(site.write_journal(batch, changes));
  auto validator = std::make_unique<Validator>(connection, "e", Document{{"n", {{"$lt", 5}}}});
  EXPECT_TRUE(must(site.move_head({batch, Head::State::kCounts, seen.number + 1, "", {}, {}})));
  std::string warned;
  options_.warn = [&](std::string_view sentence) { warned += sentence; };
  const auto store = open();
  EXPECT_EQ(must(store->find("c", {})).size(), 1u);
  for (const std::string& said :
       {warned, store->check().error().message, store->commit(put_one(3)).error().message,
        store->lock("runner", "x").error().message}) {
    EXPECT_NE(said.find("half written"), std::string::npos) << said;
    EXPECT_NE(said.find("write to e"), std::string::npos) << said;
  }
  validator.reset();
  EXPECT_TRUE(store->commit(put_one(4)));
  EXPECT_EQ(value(), 4);
  EXPECT_EQ(must(store->find_one("e", {}))["n"], 9) << "it was taken back";
}

// Blocks the server's next update, as a busy disk would.
void block_one_update(milliseconds time) {
  const auto admin = must(Server::open(TestServer::shared(TestServer::Kind::kSecantus).uri(), "admin", {}));
  Connection there(*admin);
  EXPECT_TRUE(there.command(
      "set a fail point",
      {{"configureFailPoint", "failCommand"},
       {"mode", {{"times", 1}}},
       {"data", {{"failCommands", {"update"}}, {"blockConnection", true}, {"blockTimeMS", time.count()}}}}));
}

TEST_P(MongoServerJournal, ALateWriteOverwritesNothingNewer) {
  const auto first = open(), second = open();
  ASSERT_TRUE(first->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  block_one_update(milliseconds{4000});
  Status slow;
  std::thread writer([&] { slow = first->commit(put_one(2)); });
  while (must(ServerSite(connection).head()).state != Head::State::kCounts)
    std::this_thread::sleep_for(milliseconds{5});
  EXPECT_TRUE(second->commit(put_one(3)));  // it does the first one's work, and waits for nobody
  writer.join();
  EXPECT_TRUE(slow);
  std::this_thread::sleep_for(milliseconds{200});
  EXPECT_EQ(value(), 3);
}

TEST_P(MongoServerJournal, AWriteWhoseAnswerDidNotComeMissesWhenItArrives) {
  const auto patient = open();
  ASSERT_TRUE(patient->commit(put_one(1)));
  uri_ = TestServer::shared(TestServer::Kind::kSecantus).uri("?socketTimeoutMS=600&retryWrites=false");
  const auto hasty = open();
  const auto direct = server();
  Connection connection(*direct);
  block_one_update(milliseconds{2500});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(hasty->commit(put_one(2)));
  EXPECT_TRUE(patient->commit(put_one(3)));
  std::this_thread::sleep_until(before + milliseconds{3500});
  EXPECT_EQ(value(), 3);
}

TEST_P(MongoServer, ErrorsAreSentences) {
  const auto wrong = [&](const std::string& uri, const std::string& database, ErrorCode code,
                         const char* part) {
    const auto opened = open_mongo(uri, database, options_);
    ASSERT_FALSE(opened) << uri;
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
    EXPECT_EQ(opened.error().message.find("hunter2"), std::string::npos) << opened.error().message;
  };
  wrong("mongodb://u:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=300", "", ErrorCode::kUnavailable,
        "is it running");
  wrong("mongodb://u:hunter2@@h:1:2/", "", ErrorCode::kUsage, "MONGODB_URI");
  wrong("mysql://u:hunter2@h/", "", ErrorCode::kUsage, "MONGODB_URI");
  wrong(uri_, "no such/name", ErrorCode::kUsage, "MONGODB_DATABASE");
  wrong("u:hunter2@127.0.0.1/x", "", ErrorCode::kUsage, "***@127.0.0.1/x");
  wrong("mongodb://u@127.0.0.1:1/x", "", ErrorCode::kUsage, "no password");
  EXPECT_EQ(make_mongo_uri("h", 1, "u@", "p:/%"), "mongodb://u%40:p%3A%2F%25@h:1/?authSource=admin");
  EXPECT_EQ(make_mongo_uri("::1", 1, "", ""), "mongodb://[::1]:1/");
  const auto store = open();
  Batch batch;
  for (const char* name : {"maeil_control", "system.users", "fs.files", "", "a$b"}) {
    batch.puts = {{name, {{"_id", id_value(kOne)}}}};
    EXPECT_EQ(store->commit(batch).error().code, ErrorCode::kBadInput) << name;
  }
  batch.puts = {{"c", {{"_id", id_value(kOne)}, {"n", UINT64_MAX}}}};
  EXPECT_EQ(store->commit(batch).error().code, ErrorCode::kBadInput);
}

TEST_P(MongoServer, ADatabaseThatHoldsNothingIsLeftAsItIs) {
  const auto direct = server();
  Connection connection(*direct);
  for (const bool read_only : {false, true}) {
    options_.create = false;
    options_.read_only = read_only;
    EXPECT_EQ(open_mongo(uri_, database_, options_).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(must(connection.collections()).empty());
  }
  ASSERT_TRUE(
      connection.insert_one("theirs", must(to_bson({{"x", std::numeric_limits<double>::quiet_NaN()}}))));
  const auto reader = open();  // still read_only
  EXPECT_EQ(must(reader->find("theirs", {})).size(), 1u);
  EXPECT_EQ(must(reader->collections()), std::vector<std::string>{"theirs"});
  EXPECT_EQ(must(connection.collections()), std::vector<std::string>{"theirs"});
  options_.read_only = false;
  EXPECT_TRUE(must(open()->foreign()).empty());  // a NaN that we wrote is a null
  EXPECT_GT(must(connection.collections()).size(), 1u);
}

TEST_P(MongoServer, ANewerDatabaseIsRefused) {
  ASSERT_TRUE(open());
  const auto direct = server();
  Connection connection(*direct);
  ASSERT_TRUE(
      connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"schema", kSchema + 1}}}}));
  EXPECT_EQ(open_mongo(uri_, database_, options_).error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::store
