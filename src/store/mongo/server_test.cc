// What only a server's store does: leases and their fence, a dead writer's batch, errors as sentences. On SecantusDB, with its
// transactions and without.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "store/mongo/control.h"
#include "store/mongo/generation.h"
#include "store/mongo/journal.h"
#include "store/mongo/mongo_store.h"
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

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    ::abort();
  }
  return std::move(*result);
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
    options_.lease = milliseconds{1500};
    options_.retry = milliseconds{5000};
  }
  std::unique_ptr<Store> open() { return std::move(open_mongo(uri_, database_, options_)).value(); }
  std::shared_ptr<Server> server() { return std::move(Server::open(uri_, database_, options_)).value(); }
  // As if the holder had been on another machine, where nobody can look whether it lives.
  void move_holder_elsewhere() {
    const auto other = server();
    Connection connection(*other);
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"locks.runner.owner.machine", "elsewhere"}}}}));
  }
  int64_t value() {
    const auto found = open()->find_one("c", {});
    return found && found->is_object() ? (*found)["n"].get<int64_t>() : -1;
  }

  std::string uri_;
  MongoOptions options_;
  const std::string database_ = fmt::format("server_{}", new_object_id(now()));
};

INSTANTIATE_TEST_SUITE_P(Servers, MongoServer, testing::Bool(), [](const auto& instance) { return instance.param ? "Transactions" : "Journal"; });

TEST_P(MongoServer, ALeaseIsRenewedWhileItsHolderLives) {
  const auto store = open(), other = open();
  const auto held = store->lock("runner", "first");
  ASSERT_TRUE(held);
  move_holder_elsewhere();
  std::this_thread::sleep_for(options_.lease + milliseconds{700});
  EXPECT_EQ(other->lock("runner", "second").error().code, ErrorCode::kConflict);
  std::string told;
  const auto refused = other->wait_for_lock("runner", "second", [&](std::string_view text) { return told += text, true; });
  ASSERT_FALSE(refused);  // it waited for a sign of life, and there was one
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(told.find("waiting"), std::string::npos) << told;
  EXPECT_EQ(other->wait_for_lock("runner", "second", [](std::string_view) { return false; }).error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(store->commit(put_one(1)));
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
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"locks.runner.expires", date_value(Instant{})}}}}));
    ASSERT_TRUE(connection.find_and_modify(kLeases, {{"_id", "runner"}}, {{"$set", {{"expires", date_value(Instant{})}}}}));
  }
  const auto taken = other->lock("runner", "second");
  ASSERT_TRUE(taken) << taken.error().message;
  const Status done = store->commit(put_one(2));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_NE(done.error().message.find("lost the runner lock to second"), std::string::npos) << done.error().message;
  EXPECT_FALSE(store->erase_rows("rows", "p"));
  EXPECT_EQ(value(), 1);
  EXPECT_TRUE(other->commit(put_one(3)));
  EXPECT_EQ(value(), 3);
}

TEST_P(MongoServer, ABatchThatCountsIsFinishedByTheNextOne) {
  ASSERT_TRUE(open()->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  // What a writer leaves that died between its journal and its writes; the owner is a process that never was.
  const std::string intent = new_object_id(now());
  std::vector<Write> writes;
  for (int n : {5, 6}) {
    writes.push_back({Write::Kind::kReplace, "c", std::move(*to_bson({{"_id", id_value(kOne)}})), std::move(*to_bson({{"_id", id_value(kOne)}, {"n", n}}))});
  }
  Journal journal;
  journal.undo = must(make_undo(connection, writes));
  journal.has_undo = true;
  journal.writes = std::move(writes);
  ASSERT_TRUE(write_journal(connection, intent, journal));
  Document owner = Identity::own().document();
  owner["pid"] = 0x7fffffff;
  const auto leave = [&](const char* state, milliseconds still_trusted) {
    const Document document = {{"id", id_value(intent)}, {"state", state}, {"nonce", "n"}, {"owner", owner}, {"until", date_value(now() + still_trusted)}};
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"intent", document}}}}));
  };
  leave("preparing", std::chrono::hours(1));
  EXPECT_EQ(value(), 1);  // it never counted
  ASSERT_TRUE(write_journal(connection, intent, journal));
  // What the dead one sent last may still arrive: its time has to be over first.
  const milliseconds before = boot_time();
  leave("committed", milliseconds{700});
  EXPECT_EQ(value(), 6);
  EXPECT_GE(boot_time() - before, milliseconds{600});
  EXPECT_TRUE(read_control(connection)->at("intent").is_null());
  EXPECT_TRUE(read_journal(connection, intent)->writes.empty());
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
    batch.publishes.push_back({"rows", "p", must(writer->finish()), Document::object()});
    ASSERT_TRUE(store->commit(batch));
  };
  // What is there between the first row and the switch, by three writers: one that is gone, one that lost the lock, one that lives.
  const auto leave = [&](const Document& owner, int64_t token) {
    const std::string generation = new_object_id(now()).substr(0, 16) + "00000000";
    const Document leases = {{{"name", "runner"}, {"token", token}}};
    ASSERT_TRUE(connection.insert_one(kGenerations, must(to_bson({{"_id", id_value(generation)}, {"collection", "rows"}, {"partition", "p"},
        {"created", date_value(now())}, {"owner", owner}, {"leases", token < 0 ? Document::array() : leases}}))));
    ASSERT_TRUE(connection.insert_one("rows", must(to_bson({{"_id", id_value(row_oid(generation, 0))}, {"n", token}}))));
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
  EXPECT_TRUE(store->check());
}

TEST_P(MongoServer, AJournalIsReadAsItWasWritten) {
  ASSERT_TRUE(open());
  const auto direct = server();
  Connection connection(*direct);
  std::vector<Write> writes;
  const Document large = {{"x", std::string(9 << 20, 'x')}};
  for (int i = 0; i < 2; ++i) writes.push_back({Write::Kind::kSet, "한글", std::move(*to_bson({{"_id", id_value(kOne)}})), std::move(*to_bson(large))});
  writes.push_back({Write::Kind::kRemoveMany, "c", std::move(*to_bson({{"n", {{"$gt", 3}}}})), {}});
  const std::string intent = new_object_id(now());
  Journal journal;
  journal.writes = std::move(writes);
  journal.undo.push_back({Write::Kind::kRemove, "c", std::move(*to_bson({{"_id", id_value(kOne)}})), {}});
  journal.has_undo = true;
  ASSERT_TRUE(write_journal(connection, intent, journal));
  const auto read = read_journal(connection, intent);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->has_undo);
  const auto same = [](const std::vector<Write>& got, const std::vector<Write>& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(got[i].kind, wanted[i].kind);
      EXPECT_EQ(got[i].collection, wanted[i].collection);
      EXPECT_EQ(got[i].selector.bytes(), wanted[i].selector.bytes());
      EXPECT_TRUE(got[i].document.bytes() == wanted[i].document.bytes());
    }
  };
  same(read->writes, journal.writes);
  same(read->undo, journal.undo);
  ASSERT_TRUE(connection.remove(kJournal, {{"n", 0}}));
  EXPECT_EQ(read_journal(connection, intent).error().code, ErrorCode::kBadInput);
}

TEST_P(MongoServer, ALongWriteOutlivesManyRenewals) {
  options_.lease = milliseconds{300};
  const auto store = open();
  const auto held = store->lock("runner", "test");
  ASSERT_TRUE(held);
  auto writer = must(store->write_rows("rows", "p"));
  ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>(10000)}}));
  Batch batch = put_one(7);
  batch.publishes.push_back({"rows", "p", must(writer->finish()), Document::object()});
  const milliseconds before = boot_time();
  const Status done = store->commit(batch);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_GT(boot_time() - before, options_.lease / 3) << "too quick to show anything: more rows";
  EXPECT_EQ(value(), 7);
}

TEST_P(MongoServer, LocksOfAnOlderMaeilAreTakenOver) {
  ASSERT_TRUE(open());
  const auto direct = server();
  Connection connection(*direct);
  const auto leave = [&](Instant expires) {
    const Document lock = {{"token", 41}, {"nonce", "n"}, {"holder", "older"}, {"owner", {{"machine", "elsewhere"}}}, {"expires", date_value(expires)}};
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"locks.runner", lock}}}}));
  };
  leave(now() + std::chrono::hours(1));
  EXPECT_EQ(open()->lock("runner", "test").error().code, ErrorCode::kConflict);
  leave(Instant{});
  const auto token = [&] { return must(read_control(connection))["locks"]["runner"]["token"].get<int64_t>(); };
  ASSERT_TRUE(open()->lock("runner", "test"));
  EXPECT_EQ(token(), 42);
  // People may remove the entry (a message says so where it is damaged); former holders must not come back to life by that.
  ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$unset", {{"locks.runner", ""}}}}));
  ASSERT_TRUE(open()->lock("runner", "test"));
  EXPECT_EQ(token(), 43);
}

TEST_P(MongoServer, APoolOfOneAndAReadPreferenceAreNoObstacles) {
  uri_ = TestServer::shared(TestServer::Kind::kSecantus).uri("?maxPoolSize=1&readPreference=secondaryPreferred&readConcernLevel=local");
  const auto store = open();
  const auto held = store->lock("runner", "test");
  ASSERT_TRUE(held);
  auto writer = must(store->write_rows("rows", "p"));
  ASSERT_TRUE(writer->append({{"n", std::vector<int64_t>(10)}}));
  Batch batch = put_one(1);
  ASSERT_TRUE(store->commit(batch));
  batch.publishes.push_back({"rows", "p", must(writer->finish()), Document::object()});
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
  task.erase_task = "2026-11-23/a/b";
  for (const Document& wrong : {Document("x"), Document(5), Document::array({1}), Document{{"id", 1}, {"owner", 2}}, Document{{"id", id_value(kOne)}, {"owner", "x"}}}) {
    set("intent", wrong);
    const auto opened = open_mongo(uri_, database_, options_);
    if (!opened) {
      EXPECT_NE(opened.error().message.find("intent"), std::string::npos) << opened.error().message;
    }
    set("intent", nullptr);
    set("locks", Document::object());
    set("locks.runner", wrong);
    (void)open()->lock("runner", "test");
    set("locks", wrong);
    const auto store = open();
    (void)store->lock("runner", "test");
    set("locks", Document::object());
    ASSERT_TRUE(connection.find_and_modify(kGenerations, {{"_id", "x"}}, {{"$set", {{"collection", wrong}, {"partition", wrong}, {"leases", Document::array({wrong})}}}}, true));
    EXPECT_TRUE(store->commit(task));
    EXPECT_TRUE(store->collect_garbage(now()));
    ASSERT_TRUE(connection.find_and_modify(kPartitions, {{"_id", id_value(kOne)}}, {{"$set", {{"collection", "c"}, {"columns", wrong}, {"rows", wrong}}}}, true));
    EXPECT_FALSE(store->row_partitions("c"));
    ASSERT_TRUE(connection.remove(kPartitions, {{"_id", id_value(kOne)}}));
  }
}

// What people add to a collection that refuses a document for good.
class Validator {
 public:
  Validator(Connection& connection, const std::string& collection, const Document& rule) : connection_(connection), collection_(collection) {
    EXPECT_TRUE(connection.ensure_own_collection(collection));
    set(rule);
  }
  ~Validator() { set(Document::object()); }

 private:
  void set(const Document& rule) { EXPECT_TRUE(connection_.command("set a validator", {{"collMod", collection_}, {"validator", rule}})); }
  Connection& connection_;
  const std::string collection_;
};

TEST_P(MongoServer, ABatchThatTheServerRefusesIsTakenBackWhole) {
  const auto store = open();
  const std::string other = "000000000000000000000002", third = "000000000000000000000003";
  const auto publish = [&](int64_t n) {
    auto writer = must(store->write_rows("rows", "p"));
    EXPECT_TRUE(writer->append({{"n", std::vector<int64_t>{n}}}));
    Batch batch = put_one(static_cast<int>(n));
    batch.publishes.push_back({"rows", "p", must(writer->finish()), {{"of", n}}});
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
    batch.erase_task = "t";
    batch.puts.push_back({"d", {{"_id", id_value(third)}}});
    batch.puts.push_back({"e", {{"_id", id_value(kOne)}, {"n", 7}}});
    const Status done = store->commit(batch);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("write to e"), std::string::npos) << done.error().message;
    EXPECT_TRUE(member(must(read_control(connection)), "intent").is_null());
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

TEST_P(MongoServer, ABatchThatIsStuckIsNamedAndCanBeRead) {
  if (GetParam()) GTEST_SKIP() << "a transaction takes itself back";
  ASSERT_TRUE(open()->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  // As an older maeil left it: a journal that counts, nothing to take it back with.
  std::vector<Write> writes;
  writes.push_back({Write::Kind::kReplace, "c", must(to_bson({{"_id", id_value(kOne)}})), must(to_bson({{"_id", id_value(kOne)}, {"n", 2}}))});
  writes.push_back({Write::Kind::kReplace, "e", must(to_bson({{"_id", id_value(kOne)}})), must(to_bson({{"_id", id_value(kOne)}, {"n", 7}}))});
  const std::string intent = new_object_id(now());
  ASSERT_TRUE(write_journal(connection, intent, {std::move(writes), {}, false}));
  auto validator = std::make_unique<Validator>(connection, "e", Document{{"n", {{"$lt", 5}}}});
  const Document left = {{"id", id_value(intent)}, {"task", "day/dag/task"}, {"state", "committed"}, {"nonce", "n"}, {"until", date_value(Instant{})}};
  ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"intent", left}}}}));
  std::string warned;
  options_.warn = [&](std::string_view sentence) { warned += sentence; };
  const auto store = open();
  EXPECT_EQ(must(store->find("c", {})).size(), 1u);
  for (const std::string& said : {warned, store->check().error().message, store->commit(put_one(3)).error().message, store->lock("runner", "x").error().message}) {
    EXPECT_NE(said.find("day/dag/task"), std::string::npos) << said;
    EXPECT_NE(said.find("write to e"), std::string::npos) << said;
  }
  validator.reset();
  EXPECT_TRUE(store->commit(put_one(4)));
  EXPECT_EQ(value(), 4);
  EXPECT_EQ(must(store->find("e", {})).size(), 1u);
}

// Blocks the server's next update, as a busy disk would.
void block_one_update(milliseconds time) {
  const auto admin = must(Server::open(TestServer::shared(TestServer::Kind::kSecantus).uri(), "admin", {}));
  Connection there(*admin);
  EXPECT_TRUE(there.command("set a fail point", {{"configureFailPoint", "failCommand"}, {"mode", {{"times", 1}}},
                                                 {"data", {{"failCommands", {"update"}}, {"blockConnection", true}, {"blockTimeMS", time.count()}}}}));
}

TEST_P(MongoServer, ALateWriteOverwritesNothingNewer) {
  if (GetParam()) GTEST_SKIP() << "a transaction is over when its time is";
  options_.slot = milliseconds{1500};
  const auto first = open(), second = open();
  ASSERT_TRUE(first->commit(put_one(1)));
  const auto direct = server();
  Connection connection(*direct);
  block_one_update(milliseconds{4000});
  Status slow;
  std::thread writer([&] { slow = first->commit(put_one(2)); });
  while (text_member(member(must(read_control(connection)), "intent"), "state") != "committed") std::this_thread::sleep_for(milliseconds{5});
  EXPECT_TRUE(second->commit(put_one(3)));  // it waits as long as the first one lives
  writer.join();
  EXPECT_TRUE(slow);
  std::this_thread::sleep_for(milliseconds{200});
  EXPECT_EQ(value(), 3);
}

TEST_P(MongoServer, AWriteWhoseAnswerDidNotComeIsWaitedFor) {
  if (GetParam()) GTEST_SKIP() << "a transaction is over when its time is";
  options_.slot = milliseconds{5000};
  const auto patient = open();
  ASSERT_TRUE(patient->commit(put_one(1)));
  uri_ = TestServer::shared(TestServer::Kind::kSecantus).uri("?socketTimeoutMS=600&retryWrites=false");
  const auto hasty = open();
  const auto direct = server();
  Connection connection(*direct);
  block_one_update(milliseconds{2500});
  const milliseconds before = boot_time();
  EXPECT_TRUE(hasty->commit(put_one(2)));
  EXPECT_TRUE(patient->commit(put_one(3)));
  std::this_thread::sleep_for(std::max(milliseconds{0}, before + milliseconds{3500} - boot_time()));
  EXPECT_EQ(value(), 3);
}

TEST_P(MongoServer, ErrorsAreSentences) {
  const auto wrong = [&](const std::string& uri, const std::string& database, ErrorCode code, const char* part) {
    const auto opened = open_mongo(uri, database, options_);
    ASSERT_FALSE(opened) << uri;
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
    EXPECT_EQ(opened.error().message.find("hunter2"), std::string::npos) << opened.error().message;
  };
  wrong("mongodb://u:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=300", "", ErrorCode::kUnavailable, "is it running");
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
  ASSERT_TRUE(connection.insert_one("theirs", must(to_bson({{"x", std::numeric_limits<double>::quiet_NaN()}}))));
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
  ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"schema", kSchema + 1}}}}));
  EXPECT_EQ(open_mongo(uri_, database_, options_).error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::store
