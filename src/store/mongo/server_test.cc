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
  ASSERT_TRUE(write_journal(connection, intent, writes));
  Document owner = Identity::own().document();
  owner["pid"] = 0x7fffffff;
  const auto leave = [&](const char* state) {
    const Document document = {{"id", id_value(intent)}, {"state", state}, {"nonce", "n"}, {"owner", owner}, {"until", date_value(now() + std::chrono::hours(1))}};
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"intent", document}}}}));
  };
  leave("preparing");
  EXPECT_EQ(value(), 1);  // it never counted
  ASSERT_TRUE(write_journal(connection, intent, writes));
  leave("committed");
  EXPECT_EQ(value(), 6);
  EXPECT_TRUE(read_control(connection)->at("intent").is_null());
  EXPECT_TRUE(read_journal(connection, intent)->empty());
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
  ASSERT_TRUE(write_journal(connection, intent, writes));
  const auto read = read_journal(connection, intent);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    EXPECT_EQ((*read)[i].kind, writes[i].kind);
    EXPECT_EQ((*read)[i].collection, writes[i].collection);
    EXPECT_EQ((*read)[i].selector.bytes(), writes[i].selector.bytes());
    EXPECT_TRUE((*read)[i].document.bytes() == writes[i].document.bytes());
  }
  ASSERT_TRUE(connection.remove(kJournal, {{"n", 0}}));
  EXPECT_EQ(read_journal(connection, intent).error().code, ErrorCode::kBadInput);
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
